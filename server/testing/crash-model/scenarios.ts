import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Command } from "./expected.ts";

/** An act of a process: a command, the work that follows commits, time that passes, or a foreign file where an artifact belongs. */
export type Act =
  | Exclude<Command, { readonly do: "adopt" }>
  /** Adopts the foreign files, and the files from before the catalog was lost. */
  | { readonly do: "adopt" }
  | { readonly do: "drain" }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "add foreign file"; readonly path: string };

const SMALL = 100;
/** More than the limit for inline content. */
const LARGE = 200_000;

const a: ArtifactKey = { tenantId: "acme", workflowId: "nightly", artifactId: "report.md" };
const b: ArtifactKey = { tenantId: "acme", workflowId: "nightly", artifactId: "model.bin" };
const inA: ArtifactKey = { ...a, artifactId: "report.md/plots/1.svg" };
const c: ArtifactKey = { tenantId: "globex", workflowId: "büro", artifactId: "報告書.pdf" };

const drain: Act = { do: "drain" };
const write = (
  key: ArtifactKey,
  seed: number,
  sizeBytes: number,
  tier: "HOT" | "WARM" | "COLD" = "HOT",
): Act => ({
  do: "write",
  key,
  seed,
  sizeBytes,
  tier,
});

const writeOnce = (key: ArtifactKey, sizeBytes: number): Act => ({
  do: "write",
  key,
  seed: 9,
  sizeBytes,
  tier: "HOT",
  idempotencyKey: `once ${key.artifactId}`,
});

/** Together they take every step of the engine and its drivers, which the check asserts. */
export const SCENARIOS: Readonly<Record<string, readonly Act[]>> = {
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
  "a key that is purged and written again is another artifact": [
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
  "aging artifacts move one step in each run, and are then purged": [
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
  "foreign files are moved aside, never deleted": [
    { do: "add foreign file", path: "hot/acme/nightly/report.md" },
    { do: "add foreign file", path: "warm/acme/nightly/report.md.metadata.json" },
    write(a, 1, SMALL),
    drain,
    { do: "add foreign file", path: "warm/acme/nightly/report.md" },
    { do: "promote", key: a, toTier: "WARM" },
    drain,
  ],
  "a file makes way for the folder of its name, and empty folders are removed": [
    write(a, 1, SMALL),
    drain,
    write(inA, 2, SMALL),
    write(b, 3, SMALL),
    drain,
    write(a, 4, SMALL),
    { do: "promote", key: inA, toTier: "WARM" },
    drain,
    { do: "purge", key: a },
    { do: "add foreign file", path: "hot/acme/nightly/report.md/plots" },
    write(inA, 5, LARGE),
    drain,
    { do: "purge", key: inA },
    write(a, 6, SMALL),
    drain,
  ],
  "a write that is retried with its idempotency key happens once, until its stored answer expires": [
    writeOnce(a, SMALL),
    writeOnce(a, SMALL),
    write(a, 2, LARGE),
    writeOnce(a, SMALL),
    writeOnce(b, LARGE),
    writeOnce(b, LARGE),
    drain,
    { do: "wait", ms: 2 * DAY_MS },
    writeOnce(a, SMALL),
    { do: "wait", ms: 2 * DAY_MS },
    drain,
  ],
  "foreign files become artifacts in place": [
    write(b, 2, SMALL),
    drain,
    { do: "add foreign file", path: "cold/acme/nightly/report.md" },
    { do: "add foreign file", path: "hot/acme/nightly/report.md" },
    { do: "add foreign file", path: "warm/globex/büro/報告書.pdf" },
    { do: "add foreign file", path: "cold/acme/nightly/model.bin" },
    { do: "adopt" },
    drain,
    { do: "promote", key: a, toTier: "WARM" },
    drain,
  ],
  "an abandoned write leaves nothing": [
    { do: "write with wrong checksum", key: a, sizeBytes: SMALL },
    { do: "write with wrong checksum", key: a, sizeBytes: LARGE },
    { do: "aborted upload", key: a, sizeBytes: LARGE },
    drain,
    write(a, 1, SMALL),
    { do: "write", key: a, seed: 2, sizeBytes: LARGE, tier: "HOT", ifAbsent: true },
    { do: "write with wrong checksum", key: a, sizeBytes: LARGE },
    drain,
  ],
};
