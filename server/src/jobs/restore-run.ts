import { ageSinceBefore } from "@tierkeep/schema/domain/ages";
import { type ArtifactKey, compareKeys, keyOf } from "@tierkeep/schema/domain/keys";
import { isHotter, type Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactFilter } from "@tierkeep/schema/services/artifacts";
import type { RestoreJob } from "@tierkeep/schema/services/jobs";
import type { ArtifactSelection } from "../catalog/catalog.ts";
import type { RestoreInput } from "./job-input.ts";
import { PlannedRun, type PlanPart } from "./planned-run.ts";

/** Restores many artifacts to a hotter tier: listed keys, or the matches of a filter. */
export class RestoreRun extends PlannedRun<RestoreJob> {
  protected override async *plan(): AsyncGenerator<PlanPart> {
    const input = this.row.input as RestoreInput;
    if ("keys" in input) {
      const keys = input.keys.toSorted(compareKeys);
      yield this.#part(keys, await this.parts.engine.catalog.artifacts(keys));
      return;
    }
    const selection = selectionOf(input.where);
    if (selection === null) return;
    for await (const rows of this.inKeyOrder(selection)) yield this.#part(rows.map(keyOf), rows);
  }

  /** @param rows what is stored under the keys; null: nothing */
  #part(keys: readonly ArtifactKey[], rows: readonly ({ readonly tier: Tier } | null)[]): PlanPart {
    const errors = rows.filter((row) => row === null).length;
    const restored = rows.filter((row) => row !== null && isHotter(this.job.toTier, row.tier)).length;
    return {
      step: "RESTORE",
      items: keys.map((key) => ({ ...key, planned: null })),
      counts: { restored, errors, skipped: keys.length - restored - errors },
    };
  }
}

/** Null if no tier is colder than the requested one, so nothing can match. */
function selectionOf({ olderThanDays, asOf, ...rest }: ArtifactFilter): ArtifactSelection | null {
  if (rest.tiers?.length === 0) return null;
  return olderThanDays === undefined || asOf === undefined
    ? rest
    : { ...rest, ageSinceBefore: ageSinceBefore(olderThanDays, asOf) };
}
