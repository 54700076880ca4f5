import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Command } from "./expected.ts";

/** A step of a story: a command, a drain of upkeep, time that passes, or a foreign file put into the tree. */
export type StoryStep =
  | Exclude<Command, { readonly do: "adopt" }>
  /** Finds the foreign files, and the files that were published when the catalog was lost. */
  | { readonly do: "adopt" }
  | { readonly do: "drain" }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "intrude"; readonly path: string };

const SMALL = 100;
/** Above the limit for inline content. */
const LARGE = 200_000;

const a: ArtifactKey = { tenantId: "acme", workflowId: "nightly", artifactId: "report.md" };
const b: ArtifactKey = { tenantId: "acme", workflowId: "nightly", artifactId: "model.bin" };
const c: ArtifactKey = { tenantId: "globex", workflowId: "büro", artifactId: "報告書.pdf" };

const drain: StoryStep = { do: "drain" };
const write = (
  key: ArtifactKey,
  seed: number,
  sizeBytes: number,
  tier: "HOT" | "WARM" | "COLD" = "HOT",
): StoryStep => ({
  do: "write",
  key,
  seed,
  sizeBytes,
  tier,
});

const once = (key: ArtifactKey, sizeBytes: number): StoryStep => ({
  do: "write",
  key,
  seed: 9,
  sizeBytes,
  tier: "HOT",
  idempotencyKey: `key of ${key.artifactId}`,
});

/** Together they reach every crash point of the engine and its drivers; a test asserts this. */
export const SCENARIOS: Readonly<Record<string, readonly StoryStep[]>> = {
  "small writes settle, are published, replaced and purged": [
    write(a, 1, SMALL),
    write(b, 2, 0),
    drain,
    write(a, 3, SMALL),
    write(c, 4, SMALL),
    drain,
    { do: "purge", key: a },
    drain,
  ],
  "a large write replaces a small one before it is settled, and vice versa": [
    write(a, 1, SMALL),
    write(a, 2, LARGE),
    drain,
    write(a, 3, SMALL),
    drain,
    write(a, 4, LARGE),
    write(a, 5, LARGE),
    drain,
  ],
  "moves change the tier and nothing else": [
    write(a, 1, LARGE),
    drain,
    { do: "promote", key: a, toTier: "COLD" },
    drain,
    { do: "restore", key: a, toTier: "WARM" },
    { do: "restore", key: a, toTier: "HOT" },
    { do: "promote", key: a, toTier: "WARM" },
    drain,
    write(a, 2, SMALL),
    { do: "promote", key: a, toTier: "COLD" },
    drain,
  ],
  "a key that is purged and written again is a new artifact": [
    write(a, 1, SMALL),
    drain,
    { do: "purge", key: a },
    write(a, 2, SMALL, "COLD"),
    drain,
    { do: "purge", key: a },
    write(a, 3, LARGE),
    { do: "purge", key: a },
    drain,
  ],
  "aging artifacts move one step per run and are then purged": [
    write(a, 1, SMALL),
    write(b, 2, LARGE),
    drain,
    { do: "wait", ms: 8 * DAY_MS },
    { do: "age", step: "PROMOTE_TO_WARM" },
    drain,
    { do: "wait", ms: 23 * DAY_MS },
    { do: "age", step: "PROMOTE_TO_COLD" },
    { do: "wait", ms: 60 * DAY_MS },
    write(c, 3, SMALL),
    { do: "age", step: "PURGE" },
    drain,
  ],
  "foreign files in the way are quarantined, never deleted": [
    { do: "intrude", path: "hot/acme/nightly/report.md" },
    { do: "intrude", path: "warm/acme/nightly/report.md.metadata.json" },
    write(a, 1, SMALL),
    drain,
    { do: "intrude", path: "warm/acme/nightly/report.md" },
    { do: "promote", key: a, toTier: "WARM" },
    drain,
  ],
  "a write with an idempotency key happens once until its stored answer expires": [
    once(a, SMALL),
    once(a, SMALL),
    write(a, 2, LARGE),
    once(a, SMALL),
    once(b, LARGE),
    once(b, LARGE),
    drain,
    { do: "wait", ms: 2 * DAY_MS },
    once(a, SMALL),
    { do: "wait", ms: 2 * DAY_MS },
    drain,
  ],
  "foreign files are adopted as artifacts": [
    write(b, 2, SMALL),
    drain,
    { do: "intrude", path: "cold/acme/nightly/report.md" },
    { do: "intrude", path: "hot/acme/nightly/report.md" },
    { do: "intrude", path: "warm/globex/büro/報告書.pdf" },
    { do: "intrude", path: "cold/acme/nightly/model.bin" },
    { do: "adopt" },
    drain,
    { do: "promote", key: a, toTier: "WARM" },
    drain,
  ],
  "a rejected write leaves nothing": [
    { do: "rejected write", key: a, sizeBytes: SMALL },
    { do: "rejected write", key: a, sizeBytes: LARGE },
    { do: "rejected upload", key: a, sizeBytes: LARGE },
    drain,
    write(a, 1, SMALL),
    { do: "write", key: a, seed: 2, sizeBytes: LARGE, tier: "HOT", ifAbsent: true },
    { do: "rejected write", key: a, sizeBytes: LARGE },
    drain,
  ],
};
