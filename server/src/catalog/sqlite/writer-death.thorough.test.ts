import { setEnvironmentData } from "node:worker_threads";
import { afterEach, beforeEach, expect, it } from "vitest";
import { once } from "../../../testing/catalog/idempotent-retries.ts";
import { all, key, write } from "../../../testing/catalog/sample-changes.ts";
import { DIES_AFTER_COMMIT, DIES_BEFORE_COMMIT } from "../../../testing/sqlite/dying-thread.ts";
import { tempDir } from "../../../testing/sqlite/temp-dir.ts";
import { THREAD_PRELOAD } from "../../threads/thread-server.ts";
import { openCatalog } from "../open-catalog.ts";

beforeEach(() =>
  setEnvironmentData(
    THREAD_PRELOAD,
    new URL("../../../testing/sqlite/dying-thread.ts", import.meta.url).href,
  ),
);
afterEach(() => setEnvironmentData(THREAD_PRELOAD, undefined));

/** More than one group. */
const names = Array.from({ length: 70 }, (_, n) => `${n + 10}`);
const GROUP = 64;

it.each([
  [DIES_BEFORE_COMMIT, []],
  [DIES_AFTER_COMMIT, names.slice(0, GROUP)],
])(
  "reports an unknown outcome when the writer's thread %s, then refuses changes and still serves reads",
  async (actor, made) => {
    using folder = tempDir();
    const path = folder.file("catalog.db");
    const catalog = await openCatalog({ path, durability: "fsync" });
    const first = await catalog.commit(write("a/w/1"));
    const changes = names.map((name, n) => write(`a/w/${name}`, n === 1 ? { actor, once: once() } : {}));
    const outcomes = (await catalog.commitAll(changes)).map((outcome) =>
      outcome.ok ? "done" : outcome.refused,
    );
    const unknown = expect.objectContaining({ code: "UNAVAILABLE", facts: { outcome: "unknown" } });
    const untouched = expect.objectContaining({ code: "UNAVAILABLE", facts: {} });
    expect(outcomes).toEqual(names.map((_, n) => (n < GROUP ? unknown : untouched)));

    await expect(catalog.commit(write("a/w/2"))).rejects.toThrow("Restart the server");
    expect(await catalog.artifact(key("a/w/1"))).toEqual(first.artifact);
    expect(await catalog.countEvents({})).toBe(1 + made.length);
    await catalog.close();

    const again = await openCatalog({ path, durability: "fsync" });
    expect((await all(again)).map(({ artifactId }) => artifactId)).toEqual(["1", ...made]);
    // A retry finds out what the caller was not told.
    expect(await again.commit(write(`a/w/${names[1]}`, { once: once() }))).toMatchObject({ created: true });
    expect(await again.countEvents({})).toBe(1 + Math.max(1, made.length));
    await again.close();
  },
);
