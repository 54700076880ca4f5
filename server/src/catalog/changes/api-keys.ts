import { Refused } from "@tierkeep/schema/domain/refusals";
import type { ApiKey } from "@tierkeep/schema/services/keys";
import type { CreateApiKeyChange, RevokeApiKeyChange } from "../api-key-changes.ts";
import type { ChangeType } from "../change-type.ts";
import { eventOf } from "./event-of.ts";

export const createApiKey: ChangeType<CreateApiKeyChange, ApiKey> = {
  grows: false,

  refs: ({ apiKey }) => [["apiKey", apiKey.keyId]],

  decide({ apiKey, digest }, found) {
    if (found.get("apiKey", apiKey.keyId) !== null)
      throw new Error("There is an API key with this id already.");
    const { keyId, role, tenants, expiresAt, createdAt, createdBy } = apiKey;
    const until = expiresAt === null ? "without expiry" : `until ${new Date(expiresAt).toISOString()}`;
    const whose = tenants === null ? "all tenants" : tenants.join(", ") || "no tenant";
    const value = eventOf(
      "API_KEY_CREATED",
      { at: createdAt, actor: createdBy },
      { error: `${named(apiKey)}: ${role} of ${whose}, ${until}` },
    );
    return {
      effects: [
        { put: "apiKey", key: keyId, value: { apiKey, digest } },
        { append: "event", value },
      ],
      result: apiKey,
    };
  },
};

export const revokeApiKey: ChangeType<RevokeApiKeyChange, ApiKey> = {
  grows: false,

  refs: ({ keyId }) => [["apiKey", keyId]],

  decide(change, found) {
    const stored = found.get("apiKey", change.keyId);
    if (stored === null) {
      throw new Refused("NOT_FOUND", "There is no API key with this id. The query apiKeys lists all keys.", {
        argument: "keyId",
      });
    }
    if (stored.apiKey.revokedAt !== null) return { effects: [], result: stored.apiKey };
    const apiKey = { ...stored.apiKey, revokedAt: change.at, revokedBy: change.actor };
    return {
      effects: [
        { put: "apiKey", key: change.keyId, value: { ...stored, apiKey } },
        { append: "event", value: eventOf("API_KEY_REVOKED", change, { error: named(apiKey) }) },
      ],
      result: apiKey,
    };
  },
};

/** Messages name a key by its id and name only, never by its secret. */
function named({ keyId, name }: ApiKey): string {
  return name === null ? `key:${keyId}` : `key:${keyId} (${name})`;
}
