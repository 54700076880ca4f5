import { dataOf, forEachOf } from "./client.ts";

const PER_REQUEST = 20;

/**
 * Writes `count` artifacts of one byte, a-0, a-1 …, to workflow `w` of a tenant, many per request for speed.
 */
export async function writeMany(
  server: { readonly url: string },
  tenantId: string,
  count: number,
): Promise<void> {
  const starts = Array.from({ length: Math.ceil(count / PER_REQUEST) }, (_, index) => index * PER_REQUEST);
  await forEachOf(starts, async (start) => {
    const fields = Array.from({ length: Math.min(PER_REQUEST, count - start) }, (_, index) => {
      const input = `{ tenantId: $tenantId, workflowId: "w", artifactId: "a-${start + index}", content: { text: "x" } }`;
      return `m${index}: writeArtifact(input: ${input}) { created }`;
    });
    await dataOf(server, `mutation ($tenantId: String!) { ${fields.join("\n")} }`, { tenantId });
  });
}
