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
  return `${basePath}/artifacts/${[tenantId, workflowId, artifactId].map(encodeURIComponent).join("/")}`;
}

/**
 * Returns a key as text: tenant/workflow/artifact. Different keys have different texts, because no identifier
 * contains a slash.
 */
export function keyText({ tenantId, workflowId, artifactId }: ArtifactKey): string {
  return `${tenantId}/${workflowId}/${artifactId}`;
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
  if (a === b) return 0;
  const left = a[Symbol.iterator]();
  const right = b[Symbol.iterator]();
  for (;;) {
    const l = left.next();
    const r = right.next();
    if (l.done) return r.done ? 0 : -1;
    if (r.done) return 1;
    const difference = (l.value.codePointAt(0) ?? 0) - (r.value.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
}
