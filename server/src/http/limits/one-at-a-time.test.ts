import { describe, expect, it } from "vitest";
import { OneAtATime } from "./one-at-a-time.ts";

const never = new AbortController().signal;

describe("OneAtATime", () => {
  it("passes from caller to caller in order, without others in between", async () => {
    const slot = new OneAtATime();
    const order: string[] = [];
    const first = await slot.take(never);
    const others = ["second", "third"].map(async (name) => {
      const release = await slot.take(never);
      order.push(name);
      return release;
    });
    first();
    const late = slot.take(never).then(() => order.push("late"));
    (await others[0])?.();
    (await others[1])?.();
    (await others[1])?.();
    await late;
    expect(order).toEqual(["second", "third", "late"]);
  });

  it("ends the wait of an aborted caller, and skips it", async () => {
    const slot = new OneAtATime();
    const release = await slot.take(never);
    const leaving = new AbortController();
    const aborted = slot.take(leaving.signal);
    const patient = slot.take(never);
    leaving.abort();
    await expect(aborted).rejects.toThrow(/abort/);
    release();
    (await patient)();
    await expect(slot.take(leaving.signal)).rejects.toThrow(/abort/);
    await slot.take(never);
  });
});
