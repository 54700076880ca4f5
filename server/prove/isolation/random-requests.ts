import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { SeededRandom } from "../seeded-random.ts";

/** Two callers with the same name and idempotency keys, so that only their tenants distinguish them. */
export const CALLERS = { a: operator("a", "c"), b: operator("b") };

export type Caller = keyof typeof CALLERS;

/** All tenants that requests name. Tenant `z` does not exist. */
export const TENANTS = ["a", "b", "c", "z"] as const;

/** A request of a caller. */
export interface Step {
  readonly caller: Caller;
  readonly name: string;
  readonly document: string;
  readonly input: Input;
  /** Milliseconds since the step before. */
  readonly after: number;
}

type Input = Readonly<Record<string, unknown>>;

/** The fields that are selected of any job. */
export const JOB = "totalErrors status dryRun";

const WRITE = mutation("writeArtifact", "created artifact { id tier text }", (random) => {
  const [content, held] = [{ text: random.oneOf(["x", "yy"]) }, flag(random)];
  const metadata = held ? { retention_override: true } : {};
  return {
    ...key(random),
    ...tier(random, "tier"),
    ...idempotencyKey(random),
    ifAbsent: flag(random),
    content,
    metadata,
  };
});

/** Each mutation, with random arguments that may name the other caller's tenants. */
const MUTATIONS = [
  // Writes are frequent, because the other requests need artifacts.
  ...[WRITE, WRITE, WRITE, WRITE],
  mutation("promoteArtifact", "fromTier artifact { tier }", (random) => ({
    ...key(random),
    ...tier(random, "toTier"),
    ...idempotencyKey(random),
    dryRun: flag(random),
  })),
  mutation("restoreArtifact", "fromTier artifact { tier }", (random) => ({
    ...key(random),
    ...tier(random, "toTier"),
    ...idempotencyKey(random),
    dryRun: flag(random),
  })),
  mutation("purgeArtifact", "fromTier sizeBytes", (random) => ({
    ...key(random),
    ...idempotencyKey(random),
    dryRun: flag(random),
  })),
  mutation("runLifecycle", `started job { id ${JOB} }`, (random) => ({
    ...tenant(random),
    ...idempotencyKey(random),
    dryRun: flag(random),
  })),
  mutation("restoreArtifacts", `job { id ${JOB} restoredCount }`, (random) => ({
    keys: Array.from({ length: random.between(1, 3) }, () => key(random)),
    ...idempotencyKey(random),
    dryRun: flag(random),
  })),
  mutation("verifyArtifacts", `job { id ${JOB} checkedCount }`, (random) => ({
    ...tenant(random),
    ...idempotencyKey(random),
  })),
  mutation("reindex", "job { id }", (random) => ({ dryRun: flag(random) })),
];

/** Time between two steps, relative to the day that an idempotency key lasts and to the days in a tier. */
const PAUSES = [DAY_MS / 24, DAY_MS / 24, DAY_MS / 2, DAY_MS] as const;

/** Returns random steps of the two callers, in order. */
export function randomSteps(random: SeededRandom): readonly Step[] {
  const steps: Step[] = [];
  for (let left = random.between(4, 18); left > 0; left--) {
    const isRepeat = steps.length > 0 && random.between(1, 6) === 1;
    steps.push({
      // An exact repetition, by the same caller or by the other.
      ...(isRepeat ? random.oneOf(steps) : randomStep(random)),
      caller: random.oneOf(["a", "b"] as const),
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

function idempotencyKey(random: SeededRandom): Input {
  return random.between(1, 6) > 1 ? { idempotencyKey: random.oneOf(["k1", "k2", "k3"]) } : {};
}

function tenant(random: SeededRandom): Input {
  return flag(random) ? { tenantId: random.oneOf(TENANTS) } : {};
}

function flag(random: SeededRandom): boolean {
  return random.oneOf([true, false]);
}
