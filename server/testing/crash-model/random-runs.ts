import { createHash } from "node:crypto";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { LIFECYCLE_STEPS } from "@tierkeep/schema/domain/policy";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { Draw, Loss } from "../tiers/crash-loss.ts";
import type { Act } from "./scenarios.ts";

/** What a process is asked, after how many steps it dies, and what goes with it. */
export interface RandomLife {
  readonly acts: readonly Act[];
  /** Infinity: not before it has done all of it. */
  readonly lastStep: number;
  readonly lose: Loss;
}

/** On both sides of what may ride in the catalog. */
const SIZES = [0, 1, 5_000, 65_536, 65_537, 150_000];

/** How often each comes, beside the others. */
const OFTEN = {
  write: 5,
  repeat: 3,
  "write in vain": 1,
  "upload in vain": 1,
  move: 3,
  purge: 2,
  age: 2,
  drain: 3,
  wait: 2,
} as const;

type Kind = keyof typeof OFTEN;

const KINDS = (Object.keys(OFTEN) as Kind[]).flatMap((kind) => Array<Kind>(OFTEN[kind]).fill(kind));

/** One to four lives of one to twelve acts each. */
export function randomLives(draw: Draw): readonly RandomLife[] {
  return Array.from({ length: 1 + draw(3) }, () => {
    const acts = Array.from({ length: 1 + draw(11) }, () => randomAct(draw));
    // About as many as are taken, so that most die on the way.
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
    case "repeat": {
      // So few that most come more than once; one name for all that ask for the same.
      const tier = oneOf(draw, ["HOT", "COLD"] as const);
      const write = { key: randomKey(draw), tier, sizeBytes: oneOf(draw, [5_000, 150_000]) };
      const idempotencyKey = createHash("sha256").update(JSON.stringify(write)).digest("hex");
      return { do: "write", ...write, seed: 1, idempotencyKey };
    }
    case "write in vain":
    case "upload in vain":
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

/** Of few, so that they meet. */
function randomKey(draw: Draw): ArtifactKey {
  return {
    tenantId: oneOf(draw, ["acme", "globex"]),
    workflowId: oneOf(draw, ["nightly", "büro 😀"]),
    artifactId: oneOf(draw, ["a", "b.json"]),
  };
}

function oneOf<const T>(draw: Draw, choices: readonly T[]): T {
  return choices[draw(choices.length - 1)] as T;
}
