/** The key of one artifact: the user's names for it. Each part follows the rule in identifiers.ts. */
export interface ArtifactKey {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly artifactId: string;
}

/** Returns the key of an object, without the object's other properties. */
export function keyOf({ tenantId, workflowId, artifactId }: ArtifactKey): ArtifactKey {
  return { tenantId, workflowId, artifactId };
}

/**
 * Returns the path of an artifact's URL on its server.
 *
 * @param basePath the path of PUBLIC_URL without a trailing slash; "" for none
 */
export function artifactPath(basePath: string, { tenantId, workflowId, artifactId }: ArtifactKey): string {
  const segments = [tenantId, workflowId, ...artifactId.split("/")];
  return `${basePath}/artifacts/${segments.map(encodeURIComponent).join("/")}`;
}

/**
 * Returns a key as text: tenant/workflow/artifact. Different keys have different texts, because only the
 * artifact's id can contain slashes.
 */
export function keyText({ tenantId, workflowId, artifactId }: ArtifactKey): string {
  return `${tenantId}/${workflowId}/${artifactId}`;
}

/** Splits the text of a key at its first two slashes; null: it has fewer. The parts are not checked. */
export function keyOfText(text: string): ArtifactKey | null {
  const [tenantId = "", workflowId = "", ...segments] = text.split("/");
  return segments.length === 0 ? null : { tenantId, workflowId, artifactId: segments.join("/") };
}

export function isSameKey(a: ArtifactKey, b: ArtifactKey): boolean {
  return a.tenantId === b.tenantId && a.workflowId === b.workflowId && a.artifactId === b.artifactId;
}

/** Compares keys by tenant, then workflow, then artifact, each by Unicode code point (UTF-8 byte order). */
export function compareKeys(a: ArtifactKey, b: ArtifactKey): number {
  return (
    compareNames(a.tenantId, b.tenantId) ||
    compareNames(a.workflowId, b.workflowId) ||
    compareNames(a.artifactId, b.artifactId)
  );
}

/**
 * Compares two names by code point. The operator `<` compares UTF-16 units and therefore sorts U+FFFF after
 * U+10000.
 */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return inCodePointOrder(left) - inCodePointOrder(right);
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for code points above U+FFFF, behind all other units. */
function inCodePointOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
