import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY_MS } from "./ages.ts";
import { type Aged, dueBefore, dueStep, nextTransition, type RetentionPolicy, STEP_RULES } from "./policy.ts";
import { TIERS } from "./tiers.ts";

const week: RetentionPolicy = { hotDays: 7, warmDays: 30, coldDays: 90 };
const epoch = Date.UTC(2026, 0, 1);

const instants = fc.integer({ min: 0, max: 4e12 });
const thresholds = fc.option(fc.double({ min: 0, max: 4000, noNaN: true }), { nil: null });
const policies = fc.record({ hotDays: thresholds, warmDays: thresholds, coldDays: thresholds });
const metadata = fc.constantFrom({}, { author: "Ann" });
const artifacts = fc.record({ tier: fc.constantFrom(...TIERS), ageSince: instants, metadata });

describe("the retention policy", () => {
  it.each([
    ["HOT", 7, "PROMOTE_TO_WARM"],
    ["WARM", 30, "PROMOTE_TO_COLD"],
    ["COLD", 90, "PURGE"],
  ] as const)("applies to an artifact in %s over the age of %d days the step %s", (tier, days, step) => {
    const artifact: Aged = { tier, ageSince: epoch, metadata: {} };
    expect(dueStep(artifact, week, epoch + days * DAY_MS)).toBeNull();
    expect(dueStep(artifact, week, epoch + days * DAY_MS + 1)).toBe(step);
    expect(nextTransition(artifact, week)).toEqual({ action: step, at: epoch + days * DAY_MS });
  });

  it("applies one step at a time, chosen by the artifact's tier", () => {
    const artifact: Aged = { tier: "HOT", ageSince: epoch, metadata: {} };
    expect(dueStep(artifact, week, epoch + 1000 * DAY_MS)).toBe("PROMOTE_TO_WARM");
  });

  it("never applies a step without a threshold", () => {
    const keep: RetentionPolicy = { hotDays: 7, warmDays: 30, coldDays: null };
    const artifact: Aged = { tier: "COLD", ageSince: 0, metadata: {} };
    expect(nextTransition(artifact, keep)).toBeNull();
    expect(dueStep(artifact, keep, Number.MAX_SAFE_INTEGER)).toBeNull();
    expect(dueBefore("PURGE", keep, epoch)).toBeNull();
  });

  it("returns the earliest purge under an upcoming threshold, and applies only the threshold in force", () => {
    const artifact: Aged = { tier: "COLD", ageSince: epoch, metadata: {} };
    const later = (from: number, coldDays = 90) => ({
      ...week,
      coldDays: 365,
      upcomingColdDays: [{ coldDays, from }],
    });
    const day = (days: number) => epoch + days * DAY_MS;
    expect(nextTransition(artifact, later(day(10)))).toEqual({ action: "PURGE", at: day(90) });
    expect(nextTransition(artifact, later(day(100)))).toEqual({ action: "PURGE", at: day(100) });
    expect(nextTransition(artifact, later(day(400)))).toEqual({ action: "PURGE", at: day(365) });
    const fromNever = { ...later(day(100)), coldDays: null };
    expect(nextTransition(artifact, fromNever)).toEqual({ action: "PURGE", at: day(100) });
    expect(dueStep(artifact, later(day(100)), day(200))).toBeNull();
    expect(dueStep(artifact, fromNever, day(200))).toBeNull();
    expect(nextTransition({ ...artifact, tier: "WARM" }, later(day(1)))).toMatchObject({ at: day(30) });
  });

  it.each(["7_years", null, false, 0])(
    "moves an artifact with retention_override %j to COLD, and never purges it",
    (override) => {
      const held = { ageSince: epoch, metadata: { retention_override: override } };
      const late = epoch + 1000 * DAY_MS;
      expect(dueStep({ tier: "HOT", ...held }, week, late)).toBe("PROMOTE_TO_WARM");
      expect(dueStep({ tier: "WARM", ...held }, week, late)).toBe("PROMOTE_TO_COLD");
      expect(dueStep({ tier: "COLD", ...held }, week, late)).toBeNull();
      expect(nextTransition({ tier: "COLD", ...held }, week)).toBeNull();
    },
  );

  it("ignores retention_override in nested metadata or in another case", () => {
    const cold = (metadata: Aged["metadata"]): Aged => ({ tier: "COLD", ageSince: epoch, metadata });
    expect(nextTransition(cold({ policy: { retention_override: "7_years" } }), week)).not.toBeNull();
    expect(nextTransition(cold({ Retention_Override: "7_years" }), week)).not.toBeNull();
  });

  it("agrees between nextTransition, dueStep and dueBefore", () => {
    fc.assert(
      fc.property(artifacts, policies, instants, (artifact, policy, asOf) => {
        const next = nextTransition(artifact, policy);
        const due = dueStep(artifact, policy, asOf);
        expect(due).toBe(next !== null && next.at < asOf ? next.action : null);
        if (next === null) return;
        const bound = dueBefore(next.action, policy, asOf);
        expect(bound !== null && artifact.ageSince < bound).toBe(due !== null);
        expect(STEP_RULES[next.action].from).toBe(artifact.tier);
      }),
    );
  });
});
