import { expect, it } from "vitest";
import { EngineStore } from "../../testing/stores/engine-store.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { Abandoned } from "./abandoned.ts";

const object = (digit: string) => digit.repeat(32);

/** Returns the catalog, whose first commits fail. */
function failingAtFirst(catalog: Catalog, times: number): Catalog {
  let left = times;
  return new Proxy(catalog, {
    get: (target, name: keyof Catalog) => {
      const own: unknown = target[name];
      if (typeof own !== "function") return own;
      if (name !== "commit" && name !== "commitAll") return own.bind(target);
      return async (...args: unknown[]) => {
        if (left-- > 0) throw new Error("made to fail");
        return own.apply(target, args);
      };
    },
  });
}

it("collects orphaned and abandoned objects after commits that failed at first", async () => {
  await using store = await EngineStore.open();
  const stage = (digit: string, owner: string) =>
    store.catalog.commit({ kind: "stage", object: object(digit), store: "base", owner, at: store.now });
  await stage("a", "dead");
  await stage("b", "me");
  await stage("c", "me");
  const abandoned = new Abandoned(failingAtFirst(store.catalog, 2), { now: () => store.now }, "me");
  await abandoned.add([object("b")]);
  await expect(abandoned.batch()).rejects.toThrow("made to fail");
  while ((await abandoned.batch()) > 0);
  const garbage = await store.catalog.garbage("base", store.now, 10);
  expect(garbage.map((one) => one.object)).toEqual([object("a"), object("b")]);
  expect(await store.catalog.strays("base", [object("c")])).toEqual([]);
});
