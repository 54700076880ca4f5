import { createHash } from "node:crypto";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { LIFECYCLE_STEPS } from "@tierkeep/schema/domain/policy";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { Draw, Loss } from "../tiers/crash-loss.ts";
import type { Act } from "./scenarios.ts";

/** The acts of a process, the step after which it crashes, and the data that is lost then. */
export interface RandomProcess {
  readonly acts: readonly Act[];
  /** Infinity: it completes all acts. */
  readonly lastStep: number;
  readonly lose: Loss;
}

/** Sizes on both sides of the limit for inline content. */
const SIZES = [0, 1, 5_000, 65_536, 65_537, 150_000];

/** The relative frequency of each kind of act. */
const FREQUENCIES = {
  write: 5,
  "retried write": 3,
  "write with wrong checksum": 1,
  "aborted upload": 1,
  move: 3,
  purge: 2,
  age: 2,
  drain: 3,
  wait: 2,
} as const;

type Kind = keyof typeof FREQUENCIES;

const KINDS = (Object.keys(FREQUENCIES) as Kind[]).flatMap((kind) =>
  Array<Kind>(FREQUENCIES[kind]).fill(kind),
);

/** Returns one to four processes of one to twelve acts each. */
export function randomProcesses(draw: Draw): readonly RandomProcess[] {
  return Array.from({ length: 1 + draw(3) }, () => {
    const acts = Array.from({ length: 1 + draw(11) }, () => randomAct(draw));
    // About the number of steps of the acts, so that most processes crash before the end.
    const lastStep = draw(3) === 0 ? Number.POSITIVE_INFINITY : draw(10 + 5 * acts.length);
    return { acts, lastStep, lose: oneOf(draw, ["nothing", "everything", { seed: draw(2 ** 31 - 1) }]) };
  });
}

function randomAct(draw: Draw): Act {
  const kind = oneOf(draw, KINDS);
  switch (kind) {
    case "write": {
      const write = { key: randomKey(draw), tier: oneOf(draw, TIERS), sizeBytes: oneOf(draw, SIZES) };
      return { do: kind, ...write, seed: draw(1000), ifAbsent: draw(1) === 1 };
    }
    case "retried write": {
      // Few different writes, so that most are retries. Equal writes have the same idempotency key.
      const tier = oneOf(draw, ["HOT", "COLD"] as const);
      const write = { key: randomKey(draw), tier, sizeBytes: oneOf(draw, [5_000, 150_000]) };
      const idempotencyKey = createHash("sha256").update(JSON.stringify(write)).digest("hex");
      return { do: "write", ...write, seed: 1, idempotencyKey };
    }
    case "write with wrong checksum":
    case "aborted upload":
      return { do: kind, key: randomKey(draw), sizeBytes: oneOf(draw, SIZES) };
    case "move":
      return {
        do: oneOf(draw, ["promote", "restore"] as const),
        key: randomKey(draw),
        toTier: oneOf(draw, TIERS),
      };
    case "purge":
      return { do: kind, key: randomKey(draw) };
    case "age":
      return { do: kind, step: oneOf(draw, LIFECYCLE_STEPS) };
    case "drain":
      return { do: kind };
    case "wait":
      return { do: kind, ms: draw(40 * DAY_MS) };
  }
}

/** Returns one of a few keys, so that acts affect the same artifacts. */
function randomKey(draw: Draw): ArtifactKey {
  return {
    tenantId: oneOf(draw, ["acme", "globex"]),
    workflowId: oneOf(draw, ["nightly", "büro 😀"]),
    artifactId: oneOf(draw, ["a", "b.json", "a/b", "a/b/c"]),
  };
}

function oneOf<const T>(draw: Draw, choices: readonly T[]): T {
  return choices[draw(choices.length - 1)] as T;
}
