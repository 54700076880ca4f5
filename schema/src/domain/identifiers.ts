import { Refused } from "./refusals.ts";

export type IdentifierKind = "tenantId" | "workflowId" | "artifactId";

/**
 * Maximum length of an identifier in bytes of UTF-8. With ".metadata.json" and a temporary prefix it still
 * fits into a file name of 255 bytes.
 */
export const MAX_IDENTIFIER_BYTES = 200;

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
 * value; null if it may.
 *
 * Identifiers name folders and files of the published tree on any operating system. So names that Windows
 * reserves are rejected (Microsoft, "Naming Files, Paths, and Namespaces"), and names must be in NFC: two
 * Unicode forms of one name are one file on macOS and two on Linux.
 */
export function identifierProblem(kind: IdentifierKind, value: string): string | null {
  if (value === "") return "is empty";
  if (!value.isWellFormed()) return "is not well-formed Unicode (it contains a lone surrogate)";
  const bytes = encoder.encode(value).length;
  if (bytes > MAX_IDENTIFIER_BYTES)
    return `is ${bytes} bytes of UTF-8 long; at most ${MAX_IDENTIFIER_BYTES} are allowed`;
  if (value.includes("..")) return 'contains ".."';
  const forbidden = FORBIDDEN_CHARACTERS.exec(value);
  if (forbidden) return `contains ${JSON.stringify(forbidden[0])}`;
  if (CONTROL_CHARACTERS.test(value)) return "contains a control character";
  if (BIDIRECTIONAL_CONTROLS.test(value)) return "contains a bidirectional override";
  if (value.startsWith(".")) return "starts with a dot";
  if (value.endsWith(".")) return "ends with a dot";
  if (value !== value.trim()) return "starts or ends with a space";
  if (value.normalize("NFC") !== value) return "is not in Unicode normalization form C";
  if (WINDOWS_RESERVED.test(value)) return "is a name that Windows reserves";
  if (kind === "artifactId" && value.toLowerCase().endsWith(SIDECAR_SUFFIX))
    return `ends with "${SIDECAR_SUFFIX}"`;
  return null;
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
  throw new Refused(
    "INVALID_IDENTIFIER",
    `${argument} ${shown} ${problem}. Use 1 to ${MAX_IDENTIFIER_BYTES} bytes without / \\ : * ? " < > |, "..", or a dot or space at either end.`,
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
