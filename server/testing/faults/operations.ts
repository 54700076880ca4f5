import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { LifecycleStep } from "@tierkeep/schema/domain/policy";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { RunBatchChange } from "../../src/catalog/job-changes.ts";
import { batch, lifecycleJob, plannedItem, restoreJob, startJob } from "../catalog/sample-changes.ts";
import type { Command } from "../crash-model/expected.ts";
import { rowsOf } from "../crash-model/inspect.ts";
import type { SimulatedProcess } from "../crash-model/simulated-process.ts";

export type Given =
  | Command
  | { readonly do: "drain" }
  | { readonly do: "wait"; readonly ms: number }
  /** A foreign file at the path of an artifact. */
  | { readonly do: "add foreign file"; readonly tier: Tier; readonly key: ArtifactKey };

/** An operation on a store, and what happens before it. */
export interface Operation {
  readonly given: readonly Given[];
  /** A command, the work that follows commits, a read, a batch of a job's steps, or the adoption of foreign files. */
  readonly act:
    | Command
    | { readonly do: "drain" }
    | { readonly do: "read"; readonly key: ArtifactKey }
    | { readonly do: "adopt files" }
    | {
        readonly do: "batch";
        readonly plan: (simulated: SimulatedProcess, now: number) => Promise<RunBatchChange>;
      };
}

const SMALL = 100;
/** More than the limit for inline content. */
const LARGE = 70_000;
/** Written in several chunks. */
const IN_CHUNKS = 600_000;
/** Read in several chunks. */
const TO_STREAM = 1_100_000;

const key = (artifactId: string): ArtifactKey => ({ tenantId: "acme", workflowId: "nightly", artifactId });
const [a, b] = [key("a"), key("b")];

const write = (of: ArtifactKey, seed: number, sizeBytes: number, tier: "HOT" | "WARM" | "COLD" = "HOT") =>
  ({ do: "write", key: of, seed, sizeBytes, tier }) as const;
const drain = { do: "drain" } as const;
const twoIn = (tier: "HOT" | "WARM" | "COLD") => [write(a, 1, SMALL, tier), write(b, 2, LARGE, tier), drain];

/** Returns a job's id from its start, which is unique. */
function idOf(startedAt: number): string {
  return startedAt.toString(16).padStart(32, "0");
}

/** Starts a lifecycle job without faults, and returns a batch of it. */
const lifecycleBatch =
  (step: LifecycleStep) =>
  async (simulated: SimulatedProcess, now: number): Promise<RunBatchChange> => {
    const job = lifecycleJob({ id: idOf(now), startedAt: now, asOf: now });
    await simulated.engine.catalog.commit(startJob(job));
    return batch(job, step, (await rowsOf(simulated)).map(plannedItem));
  };

async function restoreBatch(simulated: SimulatedProcess, now: number): Promise<RunBatchChange> {
  const job = restoreJob({ id: idOf(now), startedAt: now });
  await simulated.engine.catalog.commit(startJob(job));
  return batch(job, "RESTORE", (await rowsOf(simulated)).map(plannedItem));
}

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  "a small write": { given: [], act: write(a, 1, SMALL) },
  "a large write": { given: [], act: write(a, 1, IN_CHUNKS) },
  "an overwrite by a small write": { given: [write(a, 1, LARGE), drain], act: write(a, 2, SMALL) },
  "an overwrite by a large write": { given: [write(a, 1, SMALL)], act: write(a, 2, LARGE) },
  "a promote": { given: [write(a, 1, SMALL), drain], act: { do: "promote", key: a, toTier: "COLD" } },
  "a restore": {
    given: [write(a, 1, SMALL, "COLD"), drain],
    act: { do: "restore", key: a, toTier: "HOT" },
  },
  "a purge": { given: [write(a, 1, LARGE), drain], act: { do: "purge", key: a } },
  "a batch that promotes": {
    given: [...twoIn("HOT"), { do: "wait", ms: 8 * DAY_MS }],
    act: { do: "batch", plan: lifecycleBatch("PROMOTE_TO_WARM") },
  },
  "a batch that purges": {
    given: [...twoIn("COLD"), { do: "wait", ms: 91 * DAY_MS }],
    act: { do: "batch", plan: lifecycleBatch("PURGE") },
  },
  "a batch that restores": { given: twoIn("COLD"), act: { do: "batch", plan: restoreBatch } },
  "a read of inline content": { given: [write(a, 1, SMALL)], act: { do: "read", key: a } },
  "a read of a small object": { given: [write(a, 1, SMALL), drain], act: { do: "read", key: a } },
  "a read of a large object": { given: [write(a, 1, TO_STREAM)], act: { do: "read", key: a } },
  "the adoption of foreign files": {
    given: [
      { do: "add foreign file", tier: "HOT", key: a },
      { do: "add foreign file", tier: "COLD", key: b },
    ],
    act: { do: "adopt files" },
  },
  "settling, and the first publishing": {
    given: [write(a, 1, SMALL), write(b, 2, SMALL)],
    act: drain,
  },
  "publishing replaced and moved artifacts, and collecting": {
    given: [
      write(a, 1, SMALL),
      write(b, 2, LARGE),
      drain,
      write(a, 3, LARGE),
      { do: "promote", key: b, toTier: "WARM" },
    ],
    act: drain,
  },
  "unpublishing and collecting purged artifacts": {
    given: [write(a, 1, SMALL), write(b, 2, LARGE), drain, { do: "purge", key: a }, { do: "purge", key: b }],
    act: drain,
  },
};
