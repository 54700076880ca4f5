import { ageSinceBefore } from "@tierkeep/schema/domain/ages";
import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import type { ArtifactFilter } from "@tierkeep/schema/services/artifacts";
import type { RestoreJob } from "@tierkeep/schema/services/jobs";
import type { ArtifactSelection } from "../catalog/catalog.ts";
import { requireWritten } from "../engine/commit-all.ts";
import type { RestoreInput } from "./job-input.ts";
import { JobRun, type JobWork, succeeded } from "./job-work.ts";

/** Stored position of a restore: by keys, the number of processed keys; by filter, the last processed key. */
interface Place {
  readonly done: number;
  readonly after: ArtifactKey | null;
}

const START: Place = { done: 0, after: null };

/**
 * Restores many artifacts to a hotter tier, in batches: listed keys, or the matches of a filter in key order.
 */
export class RestoreRun extends JobRun<RestoreJob> {
  override async *work(): JobWork {
    const input = this.row.input as RestoreInput;
    let place = { ...START, ...(this.row.position as Partial<Place> | null) };
    if (this.row.expected === null) await this.store(place, await this.#count(input));
    for (;;) {
      const keys = await this.#next(input, place);
      const last = keys.at(-1);
      if (!last) return succeeded;
      await this.#restore(keys);
      place = { done: place.done + keys.length, after: last };
      await this.store(place);
      yield;
    }
  }

  async #next(input: RestoreInput, { done, after }: Place): Promise<readonly ArtifactKey[]> {
    const { engine, batchSize } = this.parts;
    if ("keys" in input) return input.keys.slice(done, done + batchSize);
    const selection = selectionOf(input.where);
    if (!selection) return [];
    const rows = await engine.catalog.listArtifacts(
      selection,
      { field: "KEY", direction: "ASC" },
      { after: after && { key: after }, before: null, limit: batchSize, backward: false },
      { owner: this.row.actor },
    );
    return rows.map(keyOf);
  }

  async #count(input: RestoreInput): Promise<number> {
    if ("keys" in input) return input.keys.length;
    const selection = selectionOf(input.where);
    return selection ? this.parts.engine.catalog.countArtifacts(selection, { owner: this.row.actor }) : 0;
  }

  /**
   * A missing artifact, or one that is already hot enough, is a result and not an error. Throws only what
   * stops the job.
   */
  async #restore(keys: readonly ArtifactKey[]): Promise<void> {
    const { engine } = this.parts;
    const { id: jobId, toTier, dryRun } = this.job;
    const at = engine.clock.now();
    const outcomes = await engine.takeSteps(
      keys.map((key) => ({
        kind: "restoreItem" as const,
        at,
        actor: this.row.actor,
        jobId,
        key,
        toTier,
        dryRun,
      })),
    );
    requireWritten(outcomes);
  }
}

/** Null if no tier is colder than the requested one, so nothing can match. */
function selectionOf({ olderThanDays, asOf, ...rest }: ArtifactFilter): ArtifactSelection | null {
  if (rest.tiers?.length === 0) return null;
  return olderThanDays === undefined || asOf === undefined
    ? rest
    : { ...rest, ageSinceBefore: ageSinceBefore(olderThanDays, asOf) };
}
