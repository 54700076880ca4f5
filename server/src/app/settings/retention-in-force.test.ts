import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import { describe, expect, it } from "vitest";
import { pendingAfterChange, policyInForce } from "./retention-in-force.ts";
import type { PendingRetention } from "./stored.ts";

const START = Date.UTC(2026, 0, 1);
const hours = (count: number) => START + (count * DAY_MS) / 24;

/** Returns the pending values after COLD_RETENTION_DAYS was set to these values, each at an hour after the start. */
function held(...values: readonly (readonly [hour: number, value: string])[]): readonly PendingRetention[] {
  let found: readonly PendingRetention[] = [];
  let before = values[0]?.[1] ?? "";
  for (const [hour, value] of values.slice(1)) {
    found = pendingAfterChange(found, before, value, hours(hour));
    before = value;
  }
  return found;
}

function coldDaysAt(hour: number, set: number | null, floors: readonly PendingRetention[]): number | null {
  return policyInForce({ hotDays: 1, warmDays: 2, coldDays: set }, floors, hours(hour)).coldDays;
}

describe("a shortened retention", () => {
  it("applies to purges after 24 hours", () => {
    const floors = held([0, "365"], [0, "90"]);
    expect([0, 23, 24, 1000].map((hour) => coldDaysAt(hour, 90, floors))).toEqual([365, 365, 90, 90]);
  });

  it("waits 24 hours from its own change when it is shortened several times", () => {
    const floors = held([0, "365"], [0, "200"], [12, "90"]);
    expect([0, 23, 24, 35, 36].map((hour) => coldDaysAt(hour, 90, floors))).toEqual([365, 365, 200, 200, 90]);
  });

  it("waits again after it was lengthened in between", () => {
    const floors = held([0, "365"], [0, "90"], [20, "365"], [21, "90"]);
    expect([22, 44, 45].map((hour) => coldDaysAt(hour, 90, floors))).toEqual([365, 365, 90]);
  });

  it("waits after a change from never", () => {
    const floors = held([0, "never"], [0, "90"]);
    expect([1, 24].map((hour) => coldDaysAt(hour, 90, floors))).toEqual([null, 90]);
  });

  it("lists later values with the instants from which they apply", () => {
    const policy: RetentionPolicy = { hotDays: 1, warmDays: 2, coldDays: 90 };
    expect(policyInForce(policy, held([0, "365"], [0, "200"], [12, "90"]), hours(13))).toEqual({
      hotDays: 1,
      warmDays: 2,
      coldDays: 365,
      upcomingColdDays: [
        { coldDays: 200, from: hours(24) },
        { coldDays: 90, from: hours(36) },
      ],
    });
  });

  it("does not change the policy if nothing was shortened", () => {
    const policy: RetentionPolicy = { hotDays: 1, warmDays: 2, coldDays: 90 };
    expect(policyInForce(policy, held([0, "30"], [0, "90"]), hours(1))).toBe(policy);
    expect(held([0, "90"], [0, "never"])).toEqual([]);
    expect(held([0, "90"], [0, "30"], [1, "90"])).toEqual([]);
  });
});
