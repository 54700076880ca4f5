import { Refused } from "./refusals.ts";

export type IdentifierKind = "tenantId" | "workflowId" | "artifactId";

/**
 * Maximum length of a tenant id, a workflow id, or a segment of an artifact id in bytes of UTF-8. With
 * ".metadata.json" and a temporary prefix it still fits into a file name of 255 bytes.
 */
export const MAX_SEGMENT_BYTES = 200;

/** Maximum number of segments of an artifact id: folders of the published tree, and the file's name. */
export const MAX_SEGMENTS = 32;

/** Maximum length of an artifact id in bytes of UTF-8, with its slashes. */
export const MAX_ARTIFACT_ID_BYTES = 600;

/**
 * Suffix of the published sidecars. An artifact with such a name could forge the metadata of another one.
 */
export const SIDECAR_SUFFIX = ".metadata.json";

const FORBIDDEN_CHARACTERS = /[/\\:*?"<>|]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches control characters
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/;
const BIDIRECTIONAL_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const WINDOWS_RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i;

const encoder = new TextEncoder();

/**
 * Returns why `value` may not be used as an identifier, as the predicate of a sentence whose subject is the
 * value; null if it may. A tenant id and a workflow id are one segment; an artifact id is 1 to 32 segments,
 * joined by "/".
 *
 * Segments name folders and files of the published tree on any operating system. So names that Windows
 * reserves are rejected (Microsoft, "Naming Files, Paths, and Namespaces"), and names must be in NFC: two
 * Unicode forms of one name are one file on macOS and two on Linux.
 */
export function identifierProblem(kind: IdentifierKind, value: string): string | null {
  if (value === "") return "is empty";
  if (!value.isWellFormed()) return "is not well-formed Unicode (it contains a lone surrogate)";
  const most = kind === "artifactId" ? MAX_ARTIFACT_ID_BYTES : MAX_SEGMENT_BYTES;
  const bytes = encoder.encode(value).length;
  if (bytes > most) return `is ${bytes} bytes of UTF-8 long; at most ${most} are allowed`;
  if (kind !== "artifactId") return segmentProblem(value);
  const segments = value.split("/");
  if (segments.length > MAX_SEGMENTS)
    return `has ${segments.length} segments; at most ${MAX_SEGMENTS} are allowed`;
  for (const segment of segments) {
    const problem = segment.toLowerCase().endsWith(SIDECAR_SUFFIX)
      ? `ends with "${SIDECAR_SUFFIX}"`
      : segmentProblem(segment);
    if (problem === null) continue;
    if (segments.length === 1) return problem;
    return segment === "" ? "has an empty segment" : `has a segment that ${problem}`;
  }
  return null;
}

function segmentProblem(segment: string): string | null {
  if (segment === "") return "is empty";
  const bytes = encoder.encode(segment).length;
  if (bytes > MAX_SEGMENT_BYTES)
    return `is ${bytes} bytes of UTF-8 long; at most ${MAX_SEGMENT_BYTES} are allowed`;
  if (segment.includes("..")) return 'contains ".."';
  const forbidden = FORBIDDEN_CHARACTERS.exec(segment);
  if (forbidden) return `contains ${JSON.stringify(forbidden[0])}`;
  if (CONTROL_CHARACTERS.test(segment)) return "contains a control character";
  if (BIDIRECTIONAL_CONTROLS.test(segment)) return "contains a bidirectional override";
  if (segment.startsWith(".")) return "starts with a dot";
  if (segment.endsWith(".")) return "ends with a dot";
  if (segment !== segment.trim()) return "starts or ends with a space";
  if (segment.normalize("NFC") !== segment) return "is not in Unicode normalization form C";
  if (WINDOWS_RESERVED.test(segment)) return "is a name that Windows reserves";
  return null;
}

/**
 * Returns the ids that name the folders of an artifact id, outermost first: "a" and "a/b" for "a/b/c". Each
 * may be an artifact's id too.
 */
export function folderIdsOf(artifactId: string): readonly string[] {
  const ids: string[] = [];
  for (let slash = artifactId.indexOf("/"); slash !== -1; slash = artifactId.indexOf("/", slash + 1))
    ids.push(artifactId.slice(0, slash));
  return ids;
}

/**
 * Returns `value` if it may be used as an identifier.
 *
 * @param argument path of the argument, for the refusal
 * @throws Refused INVALID_IDENTIFIER
 */
export function requireIdentifier(kind: IdentifierKind, value: string, argument: string = kind): string {
  const problem = identifierProblem(kind, value);
  if (problem === null) return value;
  const shown = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  const [form, forbidden] =
    kind === "artifactId"
      ? [`1 to ${MAX_SEGMENTS} segments joined by "/", each of 1 to ${MAX_SEGMENT_BYTES} bytes`, ""]
      : [`1 to ${MAX_SEGMENT_BYTES} bytes`, "/ "];
  throw new Refused(
    "INVALID_IDENTIFIER",
    `${argument} ${shown} ${problem}. Use ${form} without ${forbidden}\\ : * ? " < > |, "..", or a dot or space at either end.`,
    { argument },
  );
}

/**
 * Returns `key` if its three parts are valid identifiers. `prefix` is put before each part's name in
 * refusals, such as "input." or "keys.3.".
 *
 * @throws Refused INVALID_IDENTIFIER
 */
export function requireKey<K extends { tenantId: string; workflowId: string; artifactId: string }>(
  key: K,
  prefix = "",
): K {
  requireIdentifier("tenantId", key.tenantId, `${prefix}tenantId`);
  requireIdentifier("workflowId", key.workflowId, `${prefix}workflowId`);
  requireIdentifier("artifactId", key.artifactId, `${prefix}artifactId`);
  return key;
}
