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

/** The artifact is in another tier; its content stays where it is. */
export function inOtherTier(before: ArtifactFacts, after: ArtifactFacts): readonly Effect[] {
  return [
    { put: "facts", key: before, value: after },
    counted(before, -1),
    counted(after, 1),
    unpublished(before, after.version),
  ];
}

/** The artifact is deleted. `version`: the number of the event that says so. */
export function purged(row: ArtifactFacts, version: number, at: number): readonly Effect[] {
  return [...dropped(row, at), { delete: "artifact", key: row }, counted(row, -1), unpublished(row, version)];
}
