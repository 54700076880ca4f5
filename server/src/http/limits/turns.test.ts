import { setImmediate as immediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Owner } from "./owner.ts";
import { Turns } from "./turns.ts";

const named = (name: string): Owner => ({ kind: "principal", name });

describe("Turns", () => {
  it("starts operations immediately while the event loop has time", async () => {
    const clock = { now: 0 };
    const turns = new Turns({ arrivingMs: 5, waitingMs: 0 }, () => clock.now);
    for (let n = 0; n < 100; n += 1) expect(turns.take(named("a"))).toBeNull();
    clock.now = 100;
    expect(turns.take(named("a"))).toBeInstanceOf(Promise);
  });

  it("starts an owner's first operation in a pass immediately, for at most 8 owners", async () => {
    const clock = { now: 0 };
    const turns = new Turns({ arrivingMs: 5, waitingMs: 0 }, () => clock.now);
    void turns.take(named("busy"));
    clock.now = 100;
    const waiting = [turns.take(named("busy"))];
    for (let n = 1; n < 8; n += 1) expect(turns.take(named(`first ${n}`))).toBeNull();
    for (let n = 0; n < 3; n += 1)
      waiting.push(turns.take(named(`other ${n}`)), turns.take(named("first 1")));
    expect(waiting).not.toContain(null);
    await Promise.all(waiting);
  });

  it("alternates between owners, so many operations of one owner delay another owner by one operation", async () => {
    const clock = { now: 0 };
    const turns = new Turns({ arrivingMs: 5, waitingMs: 0 }, () => clock.now);
    void turns.take(named("a"));
    clock.now = 100;
    const order: string[] = [];
    const take = (owner: string, name: string) =>
      turns.take(named(owner))?.then(() => {
        order.push(name);
        clock.now += 100;
      });
    const all = Array.from({ length: 50 }, (_, n) => take("a", `a${n}`));
    expect(take("b", "first, without a turn")).toBeUndefined();
    all.push(take("b", "b0"), take("b", "b1"));
    expect(turns.waiting).toBe(52);
    await Promise.all(all);
    expect(order.slice(0, 4)).toEqual(["a0", "b0", "a1", "b1"]);
    expect(order.length).toBe(52);
    expect(turns.waiting).toBe(0);
  });

  it.each([
    ["as many waiting operations as fit into their time", 10, 5, 2],
    ["one waiting operation that takes longer", 10, 30, 1],
    ["one waiting operation if they have no time", 0, 5, 1],
  ])("starts %s in each pass of the event loop", async (_, waitingMs, durationMs, most) => {
    const clock = { now: 0 };
    const turns = new Turns({ arrivingMs: 5, waitingMs }, () => clock.now);
    void turns.take(named("a"));
    clock.now = 100;
    let inThisPass = 0;
    const passes: number[] = [];
    const work = async () => {
      await turns.take(named("a"));
      // An operation's work at once may consist of several microtasks.
      for (let part = 0; part < 5; part += 1) await null;
      clock.now += durationMs;
      inThisPass += 1;
    };
    const all = Array.from({ length: 20 }, work);
    while (turns.waiting > 0) {
      await immediate();
      passes.push(inThisPass);
      inThisPass = 0;
    }
    await Promise.all(all);
    expect(Math.max(...passes)).toBe(most);
  });
});
