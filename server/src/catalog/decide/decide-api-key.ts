import { Refused } from "@tierkeep/schema/domain/refusals";
import type { ApiKey } from "@tierkeep/schema/services/keys";
import type { CreateApiKeyChange, RevokeApiKeyChange } from "../api-key-changes.ts";
import type { EventDraft } from "./decision.ts";
import { eventOf } from "./event-of.ts";

export function decideCreateApiKey({ apiKey }: CreateApiKeyChange): EventDraft {
  const { role, tenants, expiresAt } = apiKey;
  const until = expiresAt === null ? "without expiry" : `until ${new Date(expiresAt).toISOString()}`;
  const whose = tenants === null ? "all tenants" : tenants.join(", ") || "no tenant";
  const stamp = { at: apiKey.createdAt, actor: apiKey.createdBy };
  return eventOf("API_KEY_CREATED", stamp, { error: `${named(apiKey)}: ${role} of ${whose}, ${until}` });
}

/**
 * Returns the revoked key. Without an event: it was revoked already, and nothing changes. @throws Refused
 * NOT_FOUND
 */
export function decideRevokeApiKey(
  found: ApiKey | null,
  change: RevokeApiKeyChange,
): { readonly apiKey: ApiKey; readonly event: EventDraft | null } {
  if (found === null) {
    throw new Refused("NOT_FOUND", "There is no API key with this id. The query apiKeys lists all keys.", {
      argument: "keyId",
    });
  }
  if (found.revokedAt !== null) return { apiKey: found, event: null };
  const apiKey = { ...found, revokedAt: change.at, revokedBy: change.actor };
  return { apiKey, event: eventOf("API_KEY_REVOKED", change, { error: named(found) }) };
}

/** Messages name a key by its id and name only, never by its secret. */
function named({ keyId, name }: ApiKey): string {
  return name === null ? `key:${keyId}` : `key:${keyId} (${name})`;
}
