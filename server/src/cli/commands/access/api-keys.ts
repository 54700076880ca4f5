import type { ApiKey, CreateApiKeyInput, Tierkeep } from "@tierkeep/sdk";
import { firstOf } from "../../output/first-of.ts";
import type { Output } from "../../output/output.ts";
import { shownInstant } from "../../output/quantity.ts";
import type { Column } from "../../output/table.ts";

const COLUMNS: readonly Column[] = [
  { head: "id", narrow: "stay" },
  { head: "role", narrow: "stay" },
  { head: "tenants" },
  { head: "status", narrow: "stay" },
  { head: "name" },
  { head: "made" },
  { head: "by" },
];

/** Makes a key. Its secret, and nothing else, goes to stdout. */
export async function createApiKey(
  tierkeep: Tierkeep,
  input: CreateApiKeyInput,
  output: Output,
): Promise<number> {
  const created = await tierkeep.createApiKey(input);
  const { apiKey, secret } = created;
  output.value(created);
  if (secret === null) {
    output.talk(
      `The key ${apiKey.keyId} was made, but the connection failed before its secret came, and it is kept nowhere. Revoke it and make another one: tierkeep keys revoke ${apiKey.keyId}`,
    );
    return 1;
  }
  output.text(secret);
  output.talk(
    `Key ${apiKey.keyId}: ${apiKey.role} of ${tenantsOf(apiKey)}, ${statusOf(apiKey)}. Its secret is shown this once.`,
  );
  return 0;
}

export async function listApiKeys(
  tierkeep: Tierkeep,
  { limit }: { readonly limit: number },
  output: Output,
): Promise<number> {
  const keys = firstOf(tierkeep.apiKeys({ first: Math.min(limit, 500) }), limit);
  const count = await output.list(COLUMNS, keys, (key) => [
    key.keyId,
    key.role,
    tenantsOf(key),
    statusOf(key),
    key.name ?? "–",
    shownInstant(key.createdAt),
    key.createdBy,
  ]);
  if (count === 0) output.talk("None yet: tierkeep keys create makes one.");
  return 0;
}

export async function revokeApiKey(
  tierkeep: Tierkeep,
  { keyId }: { readonly keyId: string },
  output: Output,
): Promise<number> {
  const { apiKey } = await tierkeep.revokeApiKey({ keyId });
  output.value(apiKey);
  output.text(`Key ${apiKey.keyId}: ${statusOf(apiKey)}`);
  return 0;
}

function tenantsOf({ tenants }: ApiKey): string {
  return tenants === null ? "all tenants" : tenants.join(", ");
}

function statusOf({ revokedAt, revokedBy, expiresAt }: ApiKey): string {
  if (revokedAt !== null) return `revoked ${shownInstant(revokedAt)} by ${revokedBy}`;
  if (expiresAt === null) return "good until revoked";
  return `${Date.parse(expiresAt) <= Date.now() ? "expired" : "good until"} ${shownInstant(expiresAt)}`;
}
