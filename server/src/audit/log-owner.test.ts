import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  claimLog,
  LOG_OWNER_FILE,
  LogOfAnotherStoreError,
  type LogOwner,
  requireOwnLog,
} from "./log-owner.ts";

let folder: string;
let logs: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tierkeep-log-owner-")));
  logs = join(folder, "logs");
  mkdirSync(logs);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Returns a store in a folder, with its config.json. */
function storeIn(name: string, store: string, logDir = "../logs", host = "here"): LogOwner {
  const path = join(folder, name);
  mkdirSync(join(path, ".tierkeep"), { recursive: true });
  const settings = { values: { LOG_DIR: { value: logDir } } };
  writeFileSync(join(path, ".tierkeep", "config.json"), JSON.stringify({ storeId: store, settings }));
  return { store, path, host };
}

const owner = () => JSON.parse(readFileSync(join(logs, LOG_OWNER_FILE), "utf8"));

describe("the folder of an audit log", () => {
  it("belongs to the first store that claims it; other stores are refused with its path", async () => {
    const [one, other] = [storeIn("one", "1"), storeIn("other", "2")];
    await claimLog(logs, one);
    await claimLog(logs, one);
    expect(owner()).toEqual(one);
    await expect(claimLog(logs, other)).rejects.toThrow(`belongs to the store in ${one.path}`);
    expect(() => requireOwnLog(logs, other)).toThrow(LogOfAnotherStoreError);
    expect(owner()).toEqual(one);
  });

  it("belongs to one of two stores that claim it concurrently", async () => {
    const stores = ["1", "2", "3", "4"].map((id) => storeIn(`store-${id}`, id));
    const claims = await Promise.allSettled(stores.map((store) => claimLog(logs, store)));
    expect(claims.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("stays with a store that was moved, and not with a copy of an existing one", async () => {
    const store = storeIn("one", "1");
    await claimLog(logs, store);
    const copy = storeIn("copy", "1");
    await expect(claimLog(logs, copy)).rejects.toThrow("of which this one is a copy");
    rmSync(store.path, { recursive: true });
    await claimLog(logs, copy);
    expect(owner()).toEqual(copy);
  });

  it("is free if the named store keeps its log elsewhere, as after a copy of store and log", async () => {
    await claimLog(logs, storeIn("one", "1"));
    storeIn("one", "1", "../other-logs");
    mkdirSync(join(folder, "other-logs"));
    const next = storeIn("next", "2");
    await claimLog(logs, next);
    expect(owner()).toEqual(next);
  });

  it("passes to a new store in the same path, on the same host only", async () => {
    await claimLog(logs, storeIn("one", "1"));
    const next = storeIn("one", "2");
    await expect(claimLog(logs, { ...next, host: "elsewhere" })).rejects.toThrow("belongs to the store in");
    await claimLog(logs, next);
    expect(owner()).toEqual(next);
  });

  it("is refused if the file that names its store is damaged", async () => {
    writeFileSync(join(logs, LOG_OWNER_FILE), "{");
    await expect(claimLog(logs, storeIn("one", "1"))).rejects.toThrow("may belong to another store");
  });
});
