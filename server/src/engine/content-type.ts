import mime from "mime";

/**
 * The media type that an artifact id's ending stands for, else application/octet-stream. An id without an ending, such as
 * "numbers", has none: as a bare word, mime would look it up as an ending.
 */
export function contentTypeOf(artifactId: string): string {
  return mime.getType(`/${artifactId}`) ?? "application/octet-stream";
}
