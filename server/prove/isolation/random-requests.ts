import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { SeededRandom } from "../seeded-random.ts";

/** Of one name and one set of idempotency keys, so that nothing but their tenants keeps them apart. */
export const CALLERS = { a: operator("a", "c"), b: operator("b") };

export type Caller = keyof typeof CALLERS;

/** The absent tenant `z` is named as often as any other one is. */
export const TENANTS = ["a", "b", "c", "z"] as const;

/** What a caller asks for, by the mutation's name. */
export interface Step {
  readonly who: Caller;
  readonly name: string;
  readonly document: string;
  readonly input: Input;
  /** Since the step before, in ms. */
  readonly after: number;
}

type Input = Readonly<Record<string, unknown>>;

/** What is asked of any job. */
export const JOB = "totalErrors status dryRun";

const WRITE = mutation("writeArtifact", "created artifact { id tier text }", (random) => {
  const [content, held] = [{ text: random.oneOf(["x", "yy"]) }, flag(random)];
  const metadata = held ? { retention_override: true } : {};
  return {
    ...key(random),
    ...tier(random, "tier"),
    ...once(random),
    ifAbsent: flag(random),
    content,
    metadata,
  };
});

/** Each mutation, with the arguments of whoever tries what is not theirs. */
const MUTATIONS = [
  // Without artifacts there is nothing to see.
  ...[WRITE, WRITE, WRITE, WRITE],
  mutation("promoteArtifact", "fromTier artifact { tier }", (random) => ({
    ...key(random),
    ...tier(random, "toTier"),
    ...once(random),
    dryRun: flag(random),
  })),
  mutation("restoreArtifact", "fromTier artifact { tier }", (random) => ({
    ...key(random),
    ...tier(random, "toTier"),
    ...once(random),
    dryRun: flag(random),
  })),
  mutation("purgeArtifact", "fromTier sizeBytes", (random) => ({
    ...key(random),
    ...once(random),
    dryRun: flag(random),
  })),
  mutation("runLifecycle", `started job { id ${JOB} }`, (random) => ({
    ...tenant(random),
    ...once(random),
    dryRun: flag(random),
  })),
  mutation("restoreArtifacts", `job { id ${JOB} restoredCount }`, (random) => ({
    keys: Array.from({ length: random.between(1, 3) }, () => key(random)),
    ...once(random),
    dryRun: flag(random),
  })),
  mutation("verifyArtifacts", `job { id ${JOB} checkedCount }`, (random) => ({
    ...tenant(random),
    ...once(random),
  })),
  mutation("reindex", "job { id }", (random) => ({ dryRun: flag(random) })),
];

/** Between two steps: an idempotency key counts for a day, and a tier keeps for some. */
const PAUSES = [DAY_MS / 24, DAY_MS / 24, DAY_MS / 2, DAY_MS] as const;

/** What two callers do, one step after the other. */
export function randomStory(random: SeededRandom): readonly Step[] {
  const steps: Step[] = [];
  for (let left = random.between(4, 18); left > 0; left--) {
    const isRepeat = steps.length > 0 && random.between(1, 6) === 1;
    steps.push({
      // To the letter, by the same one or by the other.
      ...(isRepeat ? random.oneOf(steps) : randomStep(random)),
      who: random.oneOf(["a", "b"] as const),
      after: random.oneOf(PAUSES),
    });
  }
  return steps;
}

function randomStep(random: SeededRandom): Pick<Step, "name" | "document" | "input"> {
  const { name, document, input } = random.oneOf(MUTATIONS);
  return { name, document, input: input(random) };
}

function operator(...tenants: string[]): Principal {
  return { actor: "ann", role: "OPERATOR", tenants };
}

function mutation(name: string, selection: string, input: (random: SeededRandom) => Input) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} } }`;
  return { name, document, input };
}

function key(random: SeededRandom) {
  const tenantId = random.oneOf(TENANTS);
  return { tenantId, workflowId: random.oneOf(["v", "w"]), artifactId: random.oneOf(["1", "2", "3"]) };
}

function tier(random: SeededRandom, as: "tier" | "toTier"): Input {
  return { [as]: random.oneOf(TIERS) };
}

function once(random: SeededRandom): Input {
  return random.between(1, 6) > 1 ? { idempotencyKey: random.oneOf(["k1", "k2", "k3"]) } : {};
}

function tenant(random: SeededRandom): Input {
  return flag(random) ? { tenantId: random.oneOf(TENANTS) } : {};
}

function flag(random: SeededRandom): boolean {
  return random.oneOf([true, false]);
}
