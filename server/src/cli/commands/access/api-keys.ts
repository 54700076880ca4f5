import type { ApiKey, CreateApiKeyInput, Tierkeep } from "@tierkeep/sdk";
import { firstOf } from "../../output/first-of.ts";
import type { Output } from "../../output/output.ts";
import { formatInstant } from "../../output/quantity.ts";
import type { Column } from "../../output/table.ts";

const COLUMNS: readonly Column[] = [
  { head: "id", narrow: "stay" },
  { head: "role", narrow: "stay" },
  { head: "tenants" },
  { head: "status", narrow: "stay" },
  { head: "name" },
  { head: "created" },
  { head: "by" },
];

/** Creates a key. Only its secret goes to stdout. */
export async function createApiKey(
  tierkeep: Tierkeep,
  input: CreateApiKeyInput,
  output: Output,
): Promise<number> {
  const created = await tierkeep.createApiKey(input);
  const { apiKey, secret } = created;
  output.value(created);
  if (secret === null) {
    output.note(
      `The key ${apiKey.keyId} was created, but the connection failed before its secret arrived. The secret is not stored. Revoke the key and create another one: tierkeep keys revoke ${apiKey.keyId}`,
    );
    return 1;
  }
  output.text(secret);
  output.note(
    `Key ${apiKey.keyId}: ${apiKey.role} of ${tenantsOf(apiKey)}, ${statusOf(apiKey)}. Its secret is shown only now.`,
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
    formatInstant(key.createdAt),
    key.createdBy,
  ]);
  if (count === 0) output.note("No keys yet: tierkeep keys create creates one.");
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
  if (revokedAt !== null) return `revoked ${formatInstant(revokedAt)} by ${revokedBy}`;
  if (expiresAt === null) return "valid until revoked";
  return `${Date.parse(expiresAt) <= Date.now() ? "expired" : "valid until"} ${formatInstant(expiresAt)}`;
}
