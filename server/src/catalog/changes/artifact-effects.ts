import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import type { Found } from "../change-type.ts";
import type { ArtifactFacts, Effect, Ref, ScopeKey } from "../records.ts";
import type { StoreIds } from "../rows.ts";

function scopesOf({ tenantId, workflowId }: ArtifactKey): readonly ScopeKey[] {
  return [
    { tenantId, workflowId: "" },
    { tenantId, workflowId },
  ];
}

/** Returns the refs of the tenant and the workflow of a key. */
export function scopeRefs(key: ArtifactKey): readonly Ref[] {
  return scopesOf(key).map((scope) => ["scope", scope]);
}

/** Returns the effects that make the tenant and the workflow of a key present, where they are not. */
export function scopesPresent(found: Found, key: ArtifactKey) {
  return scopesOf(key)
    .filter((scope) => found.get("scope", scope) === null)
    .map((scope) => ({ put: "scope", key: scope, value: true }) as const);
}

/** Returns the effect on usage: the artifact enters (1) or leaves (-1) the tier of this row. */
export function counted(row: ArtifactFacts, count: 1 | -1): Effect {
  const { tenantId, workflowId, tier, sizeBytes } = row;
  return { add: "usage", key: { tenantId, workflowId }, tier, count, sizeBytes };
}

/** Returns the effects on the object of a row that is replaced or deleted: it becomes garbage. */
export function dropped(row: ArtifactFacts, at: number): readonly Effect[] {
  const { object, store } = row;
  return [
    { delete: "inline", key: object },
    { put: "garbage", key: object, value: { store, since: at, artifact: keyOf(row) } },
  ];
}

/** Returns the mark that the view of the key may differ from its row. */
export function unpublished(key: ArtifactKey, version: number): Effect {
  return { put: "unpublished", key, value: { version } };
}

/** Returns the mark that the object is not in the store of its tier, or nothing where it is. */
export function misplaced(row: ArtifactFacts, storeIds: StoreIds, since: number): readonly Effect[] {
  return row.store === storeIds[row.tier] ? [] : [{ put: "misplaced", key: keyOf(row), value: { since } }];
}

/** Returns the effects of a move to another tier at an instant. The content stays where it is. */
export function inOtherTier(
  before: ArtifactFacts,
  after: ArtifactFacts,
  storeIds: StoreIds,
  at: number,
): readonly Effect[] {
  return [
    { put: "facts", key: before, value: after },
    counted(before, -1),
    counted(after, 1),
    unpublished(before, after.version),
    ...misplaced(after, storeIds, at),
  ];
}

/** Returns the effects of deleting an artifact. `version`: the number of its event. */
export function purged(row: ArtifactFacts, version: number, at: number): readonly Effect[] {
  return [...dropped(row, at), { delete: "artifact", key: row }, counted(row, -1), unpublished(row, version)];
}
