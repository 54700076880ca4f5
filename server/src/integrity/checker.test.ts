import { rmSync, symlinkSync } from "node:fs";
import { expect, it } from "vitest";
import { EngineStore, keyOf } from "../../testing/stores/engine-store.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import { Checker, type CheckerParts } from "./checker.ts";

it("Checker.unknownObjects does not report an object that is collected during the listing", async () => {
  await using store = await EngineStore.open();
  await store.write(keyOf("a"), Buffer.alloc(100_000, "old"));
  await store.engine.drain();
  await store.write(keyOf("a"), Buffer.alloc(100_000, "new"));
  expect(await store.objects()).toHaveLength(2);
  const base = store.tiers.storeOf("HOT");
  const list: TierStore["list"] = async function* (after) {
    yield* base.list(after);
    await store.engine.drain();
  };
  const collecting = new Proxy(base, {
    get: (_, name: keyof TierStore) => {
      if (name === "list") return list;
      const own: unknown = base[name];
      return typeof own === "function" ? own.bind(base) : own;
    },
  });
  const parts: Partial<CheckerParts> = { catalog: store.catalog, stores: new Map([[base.id, collecting]]) };
  const checker = new Checker(parts as CheckerParts);
  expect(await checker.unknownObjects(null)).toEqual({ unknown: [], next: { base: null }, ended: true });
  expect(await store.objects()).toHaveLength(1);
});

it("Checker.check reports an object that cannot be read as UNREADABLE, and checks the next one", async () => {
  await using store = await EngineStore.open();
  for (const name of ["a", "b"]) await store.write(keyOf(name), Buffer.alloc(100_000, name));
  await store.engine.drain();
  const rows = [await store.row(keyOf("a")), await store.row(keyOf("b"))];
  const path = store.objectPath(rows[0]?.object ?? "");
  rmSync(path);
  symlinkSync("elsewhere", path);
  const checked = await store.engine.checker.check(rows, new AbortController().signal);
  expect(checked?.rows).toHaveLength(2);
  const own = checked?.findings.filter(({ kind }) => kind !== "VIEW_DIFFERS");
  expect(own).toMatchObject([{ kind: "UNREADABLE", artifactId: "a" }]);
  expect(own?.[0]?.message).toMatch(/^The bytes of acme\/nightly\/a cannot be read\. .*\(ELOOP\)/);
});
