/** Phrases of the API's refusals and their equivalents on the command line. All are replaced, in this order. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/Send Authorization: Bearer with a token/g, "Set TIERKEEP_TOKEN to a token"],
  [/Use credentials that have/g, "Set TIERKEEP_TOKEN to a token that has"],
  [/Use credentials with/g, "Set TIERKEEP_TOKEN to a token with"],
  [/\bThe query viewer lists them/g, "`tierkeep whoami` lists them"],
  [/\bThe query apiKeys lists all keys/g, "`tierkeep keys list` lists all keys"],
  [/\bwith the query jobs\b/g, "with `tierkeep jobs`"],
  [/: confirmReindex, or tierkeep reindex --confirm/g, ": `tierkeep reindex --confirm`"],
  [/or download them from their downloadUrl/g, "or read them with `tierkeep read KEY -o FILE`"],
  [/Send larger content with PUT \S+/g, "Write larger content with `tierkeep write KEY FILE`."],
  [/use pageInfo to read further pages/g, "read further pages one by one"],
  [/KEY's (tenant|workflow|artifact)Id\b/g, "KEY's $1"],
];

/** Names of the API's arguments and the options or words that stand for them on the command line. */
const NAMES: Readonly<Record<string, string>> = {
  allTenants: "--all-tenants",
  artifactId: "--artifact",
  artifactIdPrefix: "--prefix",
  asOf: "the instant that ages are computed for",
  contentType: "--content-type",
  dryRun: "--dry-run",
  expiresInDays: "--expires",
  expiresInSeconds: "--expires",
  fromTier: "--from-tier",
  idempotencyKey: "the idempotency key",
  ifAbsent: "--if-absent",
  ifChecksum: "--if-checksum",
  keyId: "the key's id",
  maxBytes: "the maximum number of bytes",
  olderThanDays: "--older-than",
  requestId: "request id",
  sizeBytes: "the size",
  tenantId: "--tenant",
  tenantIds: "--tenant",
  toTier: "--to-tier",
  waitSeconds: "the time to wait",
  workflowId: "--workflow",
};

/** The path before an argument's name, such as "input.where." or "keys.2.". */
const ARGUMENT_PATH = String.raw`(?:\b(?:input|where|key|keys|upload|content|orderBy)\.(?:\d+\.)?)+`;

/** Also matches quoted text and keys such as a/b/c. These are the user's own words and are not replaced. */
const WORD = new RegExp(
  String.raw`"(?:[^"\\]|\\.)*"|[^\s"]*/[^\s"]*|(?:${ARGUMENT_PATH})?\b(?:${Object.keys(NAMES).join("|")})\b(?:\.\d+)?(?:: true\b)?|${ARGUMENT_PATH}(?=[a-z])`,
  "g",
);

/** Rewrites the message of an API refusal for the command line: with options, commands and TIERKEEP_TOKEN. */
export function inCommandWords(message: string): string {
  const phrased = PHRASES.reduce((text, [phrase, words]) => text.replace(phrase, words), message);
  return phrased.replace(WORD, (found) => {
    if (/["/]/.test(found)) return found;
    const name = /([A-Za-z]+)(?:\.\d+)?(?:: true)?$/.exec(found)?.[1] ?? "";
    return NAMES[name] ?? "";
  });
}

/** Rewrites only advice about credentials for the command line. For GraphQL documents that the user wrote. */
export function withCommandToken(message: string): string {
  return message.replace(/Send Authorization: Bearer with a token/g, "Set TIERKEEP_TOKEN to a token");
}
