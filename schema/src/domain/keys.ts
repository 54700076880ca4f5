/** The user's own names for one artifact. Each part obeys the rule in identifiers.ts. */
export interface ArtifactKey {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly artifactId: string;
}

/** A key without what else stands beside it. */
export function keyOf({ tenantId, workflowId, artifactId }: ArtifactKey): ArtifactKey {
  return { tenantId, workflowId, artifactId };
}

/**
 * The path of an artifact's URL on its server.
 *
 * @param basePath the path of PUBLIC_URL without a slash at its end; "" for none
 */
export function artifactPath(basePath: string, { tenantId, workflowId, artifactId }: ArtifactKey): string {
  return `${basePath}/artifacts/${[tenantId, workflowId, artifactId].map(encodeURIComponent).join("/")}`;
}

/** A key as people write it, tenant/workflow/artifact. Different keys have different texts: no identifier contains a slash. */
export function keyText({ tenantId, workflowId, artifactId }: ArtifactKey): string {
  return `${tenantId}/${workflowId}/${artifactId}`;
}

export function isSameKey(a: ArtifactKey, b: ArtifactKey): boolean {
  return a.tenantId === b.tenantId && a.workflowId === b.workflowId && a.artifactId === b.artifactId;
}

/** Total order of keys: by tenant, then workflow, then artifact, each by Unicode code point (UTF-8 byte order). */
export function compareKeys(a: ArtifactKey, b: ArtifactKey): number {
  return (
    compareNames(a.tenantId, b.tenantId) ||
    compareNames(a.workflowId, b.workflowId) ||
    compareNames(a.artifactId, b.artifactId)
  );
}

/** Order of two names by code point. `<` on strings compares UTF-16 units, which sorts U+FFFF before U+10000 wrongly. */
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
