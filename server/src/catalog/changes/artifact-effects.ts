import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import type { Found } from "../change-type.ts";
import type { ArtifactFacts, Effect, Ref, ScopeKey } from "../records.ts";

function scopesOf({ tenantId, workflowId }: ArtifactKey): readonly ScopeKey[] {
  return [
    { tenantId, workflowId: "" },
    { tenantId, workflowId },
  ];
}

export function scopeRefs(key: ArtifactKey): readonly Ref[] {
  return scopesOf(key).map((scope) => ["scope", scope]);
}

/** Makes the tenant and the workflow of a key present, where they are not. */
export function present(found: Found, key: ArtifactKey): readonly Effect[] {
  return scopesOf(key)
    .filter((scope) => found.get("scope", scope) === null)
    .map((scope) => ({ put: "scope", key: scope, value: true }));
}

/** The artifact enters (1) or leaves (-1) the tier of this row. */
export function counted(row: ArtifactFacts, count: 1 | -1): Effect {
  const { tenantId, workflowId, tier, sizeBytes } = row;
  return { add: "usage", key: { tenantId, workflowId }, tier, count, sizeBytes };
}

/** No row names the object of this row any more. */
export function dropped(row: ArtifactFacts, at: number): readonly Effect[] {
  const { object, store } = row;
  return [
    { delete: "inline", key: object },
    { put: "garbage", key: object, value: { store, since: at, artifact: keyOf(row) } },
  ];
}

/** The view of the key may differ from its row. */
export function unpublished(key: ArtifactKey, version: number): Effect {
  return { put: "unpublished", key, value: { version } };
}
