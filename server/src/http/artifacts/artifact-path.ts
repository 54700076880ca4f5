import { requireKey } from "@tierkeep/schema/domain/identifiers";
import { type ArtifactKey, keyOfText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";

export const ARTIFACTS_PATH = "/artifacts/";

/**
 * Returns the key in `/artifacts/{tenant}/{workflow}/{artifact}`, with each segment percent-encoded. A slash of
 * an artifact id may be sent as `/` or `%2F`. `path` is the path as sent, because a URL parser would resolve a
 * segment such as `%2e%2e` and bypass the check.
 *
 * @throws Refused NOT_FOUND for a path of another form, INVALID_IDENTIFIER for an invalid segment
 */
export function artifactKeyOf(path: string): ArtifactKey {
  const key = keyOfText(path.slice(ARTIFACTS_PATH.length));
  if (key === null) {
    throw new Refused(
      "NOT_FOUND",
      "An artifact's URL is /artifacts/{tenant}/{workflow}/{artifact}, each segment percent-encoded.",
    );
  }
  return requireKey({
    tenantId: decoded(key.tenantId, "tenantId"),
    workflowId: decoded(key.workflowId, "workflowId"),
    artifactId: decoded(key.artifactId, "artifactId"),
  });
}

function decoded(text: string, argument: string): string {
  try {
    if (/^[\x21-\x7e]*$/.test(text)) return decodeURIComponent(text);
  } catch {}
  throw new Refused("INVALID_IDENTIFIER", `${argument} is not percent-encoded UTF-8 in the URL.`, {
    argument,
  });
}
