import { requireKey } from "@tierkeep/schema/domain/identifiers";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";

export const ARTIFACTS_PATH = "/artifacts/";

/**
 * Returns the key in `/artifacts/{tenant}/{workflow}/{artifact}`, with each segment percent-encoded. `path`
 * is the path as sent, because a URL parser would resolve a segment such as `%2e%2e` and bypass the check.
 *
 * @throws Refused NOT_FOUND for a path of another form, INVALID_IDENTIFIER for an invalid segment
 */
export function artifactKeyOf(path: string): ArtifactKey {
  const segments = path.slice(ARTIFACTS_PATH.length).split("/");
  const [tenantId, workflowId, artifactId] = segments;
  if (
    segments.length !== 3 ||
    tenantId === undefined ||
    workflowId === undefined ||
    artifactId === undefined
  ) {
    throw new Refused(
      "NOT_FOUND",
      "An artifact's URL is /artifacts/{tenant}/{workflow}/{artifact}, each part percent-encoded.",
    );
  }
  return requireKey({
    tenantId: decoded(tenantId, "tenantId"),
    workflowId: decoded(workflowId, "workflowId"),
    artifactId: decoded(artifactId, "artifactId"),
  });
}

function decoded(segment: string, argument: string): string {
  try {
    if (/^[\x21-\x7e]*$/.test(segment)) return decodeURIComponent(segment);
  } catch {}
  throw new Refused("INVALID_IDENTIFIER", `${argument} is not percent-encoded UTF-8 in the URL.`, {
    argument,
  });
}
