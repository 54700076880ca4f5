/**
 * Returns a Content-Disposition that makes a browser save the content instead of showing it: a workflow's
 * output must not run as a page of this origin. RFC 6266: the plain name is for clients that do not support
 * the encoded one.
 */
export function attachment(fileName: string): string {
  const plain = fileName.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(fileName).replaceAll(
    /['()*!]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
