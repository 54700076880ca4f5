import mime from "mime";

/** The media type that an artifact id's ending stands for, else application/octet-stream. */
export function contentTypeOf(artifactId: string): string {
  return mime.getType(artifactId) ?? "application/octet-stream";
}
