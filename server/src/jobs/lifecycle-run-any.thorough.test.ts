import { DAY_MS, daysToMs } from "@tierkeep/schema/domain/ages";
import { dueStep, LIFECYCLE_STEPS, type RetentionPolicy, STEP_RULES } from "@tierkeep/schema/domain/policy";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { LifecycleItem, LifecycleJob } from "@tierkeep/schema/services/jobs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADMIN, crashingCatalog, JobsStore, key, NOW, type Seed } from "../../testing/stores/jobs-store.ts";

const auditBehind = new Refused("UNAVAILABLE", "The audit log cannot be written.");

function counts({ promotedToWarm, promotedToCold, purged, totalErrors }: LifecycleJob) {
  return { promotedToWarm, promotedToCold, purged, totalErrors };
}

/** Items without the words that distinguish a plan from its execution. */
function deeds(items: readonly LifecycleItem[]) {
  return items.map((item) => ({ ...item, outcome: item.outcome === "PLANNED" ? "DONE" : item.outcome }));
}

const days = fc.option(
  fc.oneof(fc.integer({ min: 1, max: 9 }), fc.double({ min: 0.001, max: 9, noNaN: true })),
);

/** Ages are close to the thresholds, often exactly at them. */
const anyWorld = fc.record({ hotDays: days, warmDays: days, coldDays: days }).chain((policy) =>
  fc.record({
    policy: fc.constant<RetentionPolicy>(policy),
    steps: fc.subarray([...LIFECYCLE_STEPS], { minLength: 1 }),
    tenantId: fc.constantFrom(undefined, "a", "b"),
    asOf: fc.constantFrom(undefined, NOW - 2 * DAY_MS, NOW + 1000 * DAY_MS),
    batchSize: fc.integer({ min: 1, max: 5 }),
    seeds: fc
      .array(
        fc.record({
          tenantId: fc.constantFrom("a", "b", "é"),
          tier: fc.constantFrom(...TIERS),
          ageMs: fc.oneof(
            fc.integer({ min: 0, max: 12 * DAY_MS }),
            fc.constantFrom(...TIERS).chain((tier) => {
              const threshold = { HOT: policy.hotDays, WARM: policy.warmDays, COLD: policy.coldDays }[tier];
              return fc
                .integer({ min: -1, max: 1 })
                .map((off) => Math.max(0, daysToMs(threshold ?? 5) + off));
            }),
          ),
        }),
        { maxLength: 14 },
      )
      .map((all) =>
        all.map(
          ({ tenantId, tier, ageMs }, index): Seed => ({ key: key(`n${index}`, tenantId), tier, ageMs }),
        ),
      ),
  }),
);

describe("a lifecycle run over any store", () => {
  it("is predicted by a dry run at the same instant, item by item, with one step per artifact", async () => {
    await fc.assert(
      fc.asyncProperty(anyWorld, async ({ policy, steps, tenantId, asOf, batchSize, seeds }) => {
        await using world = await JobsStore.open(seeds);
        const jobs = world.jobs({ policy: () => policy, batchSize });
        const options = { steps, waitSeconds: 60, ...(tenantId && { tenantId }), ...(asOf && { asOf }) };
        const before = await world.rows();
        const planned = (await jobs.runLifecycle(ADMIN, { ...options, dryRun: true })).job;
        expect(await world.rows()).toEqual(before);
        const done = (await jobs.runLifecycle(ADMIN, { ...options, dryRun: false })).job;

        expect(planned.status).toBe("SUCCEEDED");
        expect(done.status).toBe("SUCCEEDED");
        expect(counts(done)).toEqual(counts(planned));
        const items = await world.items(done.id);
        expect(deeds(items)).toEqual(deeds(await world.items(planned.id)));

        const expected = before.flatMap((row) => {
          const step = dueStep(row, policy, asOf ?? NOW);
          const taken = step !== null && steps.includes(step) && (!tenantId || row.tenantId === tenantId);
          return [{ row, step: taken ? step : null }];
        });
        expect(items.map(({ artifactId, step }) => [artifactId, step])).toEqual(
          expected.filter(({ step }) => step).map(({ row, step }) => [row.artifactId, step]),
        );
        expect(await world.tiers()).toEqual(
          expected
            .map(({ row, step }) => ({ row, tier: step ? STEP_RULES[step].to : row.tier }))
            .filter(({ tier }) => tier !== null)
            .map(({ row, tier }) => `${row.tenantId}/${row.artifactId} ${tier}`),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("has the same result after a crash at any write and a restart as an uninterrupted run", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyWorld,
        fc.boolean(),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(null, auditBehind),
        async ({ policy, steps, tenantId, asOf, batchSize, seeds }, dryRun, lastWrite, refusal) => {
          const options = {
            steps,
            dryRun,
            waitSeconds: 60,
            ...(tenantId && { tenantId }),
            ...(asOf && { asOf }),
          };
          await using whole = await JobsStore.open(seeds);
          whole.refusal = refusal;
          const reference = (
            await whole.jobs({ policy: () => policy, batchSize }).runLifecycle(ADMIN, options)
          ).job;

          await using world = await JobsStore.open(seeds);
          world.refusal = refusal;
          const { catalog, crashed } = crashingCatalog(world.catalog, lastWrite);
          const first = world.jobs({ policy: () => policy, batchSize, engine: world.engine(catalog) });
          await Promise.race([first.runLifecycle(ADMIN, options), crashed]);
          const second = world.jobs({ policy: () => policy, batchSize });
          await second.resumeJobs();
          const id = await world.startedJob();
          const { job } = await world.ended(id);

          expect(job).toMatchObject({ status: reference.status, ...counts(reference) });
          if (job.status === "SUCCEEDED") expect(job.progress).toBe(1);
          expect(await world.items(id)).toEqual(await whole.items(reference.id));
          expect(await world.tiers()).toEqual(await whole.tiers());
          const described = (events: Awaited<ReturnType<JobsStore["events"]>>) =>
            events.map(({ type, tenantId, artifactId, ageDays }) => ({
              type,
              tenantId,
              artifactId,
              ageDays,
            }));
          expect(described(await world.events(id))).toEqual(described(await whole.events(reference.id)));
        },
      ),
      { numRuns: 30 },
    );
  });
});
