import { setImmediate as immediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Owner } from "./owner.ts";
import { Turns } from "./turns.ts";

const named = (name: string): Owner => ({ kind: "principal", name });

describe("Turns", () => {
  it("starts operations immediately while the event loop has time", async () => {
    const clock = { now: 0 };
    const turns = new Turns(() => clock.now);
    for (let n = 0; n < 100; n += 1) expect(turns.take(named("a"))).toBeNull();
    clock.now = 100;
    expect(turns.take(named("a"))).toBeInstanceOf(Promise);
  });

  it("alternates between owners, so many operations of one owner delay another owner by one operation", async () => {
    const clock = { now: 0 };
    const turns = new Turns(() => clock.now);
    void turns.take(named("a"));
    clock.now = 100;
    const order: string[] = [];
    const take = (owner: string, name: string) =>
      turns.take(named(owner))?.then(() => {
        order.push(name);
        clock.now += 100;
      });
    const all = Array.from({ length: 50 }, (_, n) => take("a", `a${n}`));
    all.push(take("b", "b0"), take("b", "b1"));
    expect(turns.waiting).toBe(52);
    await Promise.all(all);
    expect(order.slice(0, 4)).toEqual(["a0", "b0", "a1", "b1"]);
    expect(order.length).toBe(52);
    expect(turns.waiting).toBe(0);
  });

  it("gives the event loop time after each waiting operation", async () => {
    const clock = { now: 0 };
    const turns = new Turns(() => clock.now);
    void turns.take(named("a"));
    clock.now = 100;
    let started = 0;
    const all = Array.from({ length: 20 }, () => turns.take(named("a"))?.then(() => (started += 1)));
    for (let n = 0; n < 10; n += 1) await immediate();
    expect(started).toBeGreaterThan(1);
    expect(started).toBeLessThan(20);
    await Promise.all(all);
  });
});
