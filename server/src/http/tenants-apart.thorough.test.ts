import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import { artifactGlobalId, tenantGlobalId, workflowGlobalId } from "@tierkeep/schema/graphql/global-ids";
import fc from "fast-check";
import { expect, it } from "vitest";
import { GuardedStore } from "./guarded-store.ts";

/** Of one name and one set of idempotency keys, so that nothing but their tenants keeps them apart. */
const ANN = { a: operator("a", "c"), b: operator("b") };

type Who = keyof typeof ANN;

/** The absent tenant `z` is named as often as any other one is. */
const TENANTS = ["a", "b", "c", "z"] as const;

interface Step {
  readonly who: Who;
  readonly document: string;
  readonly input: Record<string, unknown>;
}

function operator(...tenants: string[]): Principal {
  return { actor: "ann", role: "OPERATOR", tenants };
}

const key = fc.record({
  tenantId: fc.constantFrom(...TENANTS),
  workflowId: fc.constantFrom("v", "w"),
  artifactId: fc.constantFrom("1", "2", "3"),
});
const tier = fc.constantFrom(...TIERS);
const idempotencyKey = fc.option(fc.constantFrom("k1", "k2", "k3"), { nil: undefined });
const dryRun = fc.boolean();
const tenantId = fc.option(fc.constantFrom(...TENANTS), { nil: undefined });

const JOB = "totalErrors status dryRun";

/** Each mutation, with the arguments of whoever tries what is not theirs. */
const inputs: readonly (readonly [string, fc.Arbitrary<Record<string, unknown>>])[] = [
  [
    "writeArtifact { created artifact { id tier text } }",
    fc
      .record({
        key,
        tier,
        idempotencyKey,
        ifAbsent: fc.boolean(),
        held: dryRun,
        text: fc.constantFrom("x", "yy"),
      })
      .map(({ key: of, held, text, ...rest }) => ({
        ...of,
        ...rest,
        content: { text },
        metadata: held ? { retention_override: true } : {},
      })),
  ],
  [
    "promoteArtifact { fromTier artifact { tier } }",
    fc
      .record({ key, toTier: tier, idempotencyKey, dryRun })
      .map(({ key: of, ...rest }) => ({ ...of, ...rest })),
  ],
  [
    "restoreArtifact { fromTier artifact { tier } }",
    fc
      .record({ key, toTier: tier, idempotencyKey, dryRun })
      .map(({ key: of, ...rest }) => ({ ...of, ...rest })),
  ],
  [
    "purgeArtifact { fromTier sizeBytes }",
    fc.record({ key, idempotencyKey, dryRun }).map(({ key: of, ...rest }) => ({ ...of, ...rest })),
  ],
  [`runLifecycle { started job { id ${JOB} } }`, fc.record({ tenantId, dryRun, idempotencyKey })],
  [
    `restoreArtifacts { job { id ${JOB} restoredCount } }`,
    fc.record({ keys: fc.array(key, { minLength: 1, maxLength: 3 }), dryRun, idempotencyKey }),
  ],
  [`verifyArtifacts { job { id ${JOB} checkedCount } }`, fc.record({ tenantId, idempotencyKey })],
  [`reindex { job { id } }`, fc.record({ dryRun })],
];

const step: fc.Arbitrary<Step> = fc
  .oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant(inputs[0]?.[0] ?? ""), inputs[0]?.[1] ?? fc.constant({})) },
    ...inputs.slice(1).map(([field, input]) => fc.tuple(fc.constant(field), input)),
  )
  .chain(([field, input]) =>
    fc.constantFrom<Who>("a", "b").map((who) => ({ who, document: mutation(field), input })),
  );

function mutation(field: string): string {
  const [name = "", ...selection] = field.split(" ");
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  return `mutation ($input: ${type}!) { ${name}(input: $input) ${selection.join(" ")} }`;
}

const LIST = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
const ORDERS = ["KEY", "AGE", "CREATED_AT", "MODIFIED_AT", "SIZE"];
const EVENT = "type actor tenantId artifactId fromTier toTier dryRun jobId errorCode error artifact { tier }";

/** All that can be asked for, of one's own and of what is named although it may be another's. */
const EVERYTHING = `query ($ids: [ID!]!, $keys: [ArtifactKeyInput!]!) {
  nodes(ids: $ids) { __typename id }
  artifactsByKey(keys: $keys) { artifactId checksum text }
  ${ORDERS.map(
    (field) =>
      `${field}: artifacts(orderBy: { field: ${field}, direction: DESC }, first: 4) { ${LIST} nodes { id tier ageDays } }`,
  ).join("\n")}
  filtered: artifacts(where: { workflowId: "w", tiers: [HOT, COLD], metadata: {} }) { ${LIST} nodes { id } }
  old: artifacts(where: { olderThanDays: 1.5 }, orderBy: { field: AGE }) { ${LIST} nodes { id } }
  tenants { ${LIST} nodes { id workflows { ${LIST} nodes { id tierStats { artifactCount } } } } }
  tierStats { tier artifactCount totalBytes tenantCount tenants { ${LIST} nodes { tenantId } } }
  lifecycleEvents { ${LIST} nodes { id cursor ${EVENT} } }
  newest: lifecycleEvents(first: 3, where: { types: [ARTIFACT_WRITTEN] }) { ${LIST} nodes { cursor type } }
  lifecycleEventCursor
  lifecycleJobs { ${LIST} nodes { id tenantId ${JOB} promotedToWarm purged items { ${LIST} nodes { tenantId artifactId outcome } } } }
  lastLifecycleJob { id tenantId }
  viewer { actor role tenants }
  ${TENANTS.map(
    (
      tenant,
    ) => `${tenant}: tenant(tenantId: "${tenant}") { id artifacts { ${LIST} nodes { id } } workflow(workflowId: "w") { id } }
  ${tenant}One: artifact(tenantId: "${tenant}", workflowId: "w", artifactId: "1") { id text }
  ${tenant}Stats: tierStats(tenantId: "${tenant}") { tier artifactCount totalBytes tenantCount }
  ${tenant}Events: lifecycleEvents(where: { tenantId: "${tenant}" }) { ${LIST} nodes { type } }
  ${tenant}Artifacts: artifacts(where: { tenantId: "${tenant}" }) { ${LIST} nodes { id } }
  ${tenant}Policy: retentionPolicy(tenantId: "${tenant}") { hotDays }`,
  ).join("\n")}
}`;

const keys = TENANTS.map((name) => ({ tenantId: name, workflowId: "w", artifactId: "1" }));
const ids = keys.flatMap((one) => [
  artifactGlobalId(one),
  workflowGlobalId(one),
  tenantGlobalId(one.tenantId),
]);

/** Random, or in an order of the whole store's: what counts is which of them are the same. */
const OPAQUE = new Set(["id", "cursor", "jobId", "startCursor", "endCursor", "lifecycleEventCursor"]);

/** What each of `present` is answered, in a store where their steps alone happen, each at its own time. */
async function answersOf(present: readonly Who[], steps: readonly Step[]): Promise<Record<Who, string[]>> {
  await using world = await GuardedStore.open();
  const names = { a: new Map<string, string>(), b: new Map<string, string>() };
  const answers: Record<Who, string[]> = { a: [], b: [] };
  const note = (who: Who, answer: unknown) => {
    const known = names[who];
    const text = JSON.stringify(answer, (name, value) => {
      if (!OPAQUE.has(name) || typeof value !== "string") return value;
      if (!known.has(value)) known.set(value, `#${known.size}`);
      return known.get(value);
    });
    answers[who].push(text);
  };
  for (const [index, { who, document, input }] of steps.entries()) {
    world.store.now += DAY_MS / 2;
    if (present.includes(who)) note(who, await world.ask(ANN[who], document, { input }));
    if (index % 6 !== 5 && index !== steps.length - 1) continue;
    for (const one of present) {
      const everything = await world.ask(ANN[one], EVERYTHING, { ids, keys });
      expect(everything.errors).toEqual([]);
      note(one, everything);
    }
  }
  return answers;
}

it("whatever two callers do, neither sees, counts, changes or hinders anything of the other's tenants", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 18 }), async (steps) => {
      const together = await answersOf(["a", "b"], steps);
      for (const who of ["a", "b"] as const)
        expect(together[who]).toEqual((await answersOf([who], steps))[who]);
    }),
    { numRuns: Number(process.env.ISOLATION_RUNS ?? 25) },
  );
}, 1_800_000);
