import mime from "mime";

/**
 * Returns the media type for an artifact id's extension, or application/octet-stream. An id without one, such
 * as "numbers", is passed as a path: mime would otherwise take the bare word for an extension.
 */
export function contentTypeOf(artifactId: string): string {
  return mime.getType(`/${artifactId}`) ?? "application/octet-stream";
}
