import { describe, expect, it } from "vitest";
import { RoundRobin } from "./round-robin.ts";

function filled(tasks: readonly string[]): RoundRobin<string> {
  const queue = new RoundRobin<string>();
  for (const task of tasks) queue.add(task.slice(0, 1), task);
  return queue;
}

function all(queue: RoundRobin<string>): string[] {
  const taken: string[] = [];
  for (let task = queue.take(); task !== undefined; task = queue.take()) taken.push(task);
  return taken;
}

describe("RoundRobin", () => {
  it("takes one task of each owner in turn, each owner's in order", () => {
    expect(all(filled(["a1", "a2", "a3", "b1", "b2", "c1"]))).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
  });

  it("lets a new owner wait for one task of each other owner", () => {
    const queue = filled(["a1", "a2", "a3"]);
    expect(queue.take()).toBe("a1");
    queue.add("b", "b1");
    expect(all(queue)).toEqual(["a2", "b1", "a3"]);
  });

  it("gives owners turns while their first tasks stay", () => {
    const queue = filled(["a1", "a2", "b1"]);
    expect([queue.turn(), queue.turn(), queue.turn()]).toEqual(["a1", "b1", "a1"]);
    queue.remove("a", "a1");
    expect([queue.turn(), queue.turn()]).toEqual(["b1", "a2"]);
    expect(new RoundRobin().turn()).toBeUndefined();
  });

  it("removes a task before its turn, once", () => {
    const queue = filled(["a1", "a2", "b1"]);
    expect(queue.remove("a", "a1")).toBe(true);
    expect(queue.remove("a", "a1")).toBe(false);
    expect(queue.remove("b", "b1")).toBe(true);
    expect(all(queue)).toEqual(["a2"]);
  });
});
