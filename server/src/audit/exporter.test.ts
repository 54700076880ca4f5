import { appendFile, copyFile, mkdir, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { describe, expect, it } from "vitest";
import { AuditStore, LOG, SECOND, THIRD, withCommit } from "../../testing/stores/audit-store.ts";

describe("the audit exporter", () => {
  it("writes one line per event in order, for existing and new events", async () => {
    await using world = await AuditStore.open();
    await world.happen(3);
    const exporter = world.exporter({ batchSize: 2 });
    await exporter.flush();
    expect([await world.read(LOG)]).toEqual(await world.lines([1]));
    await world.happen(4);
    await exporter.flush();
    expect([await world.read(LOG)]).toEqual(await world.lines([1]));
    expect(exporter.health()).toEqual({ lagSeconds: 0, failing: false, error: null });
  });

  it("exports new events without a call", async () => {
    await using world = await AuditStore.open();
    await world.exporter().purgeRefusal();
    await world.happen(1);
    const [lines] = await world.lines([1]);
    await expect.poll(() => world.read(LOG)).toBe(lines);
  });

  it("continues where it stopped, at the next start", async () => {
    await using world = await AuditStore.open();
    await world.happen(2);
    await world.exportAll();
    await world.happen(2);
    await world.exportAll();
    expect([await world.read(LOG)]).toEqual(await world.lines([1]));
    expect(await world.segments()).toEqual([LOG]);
  });

  it("leaves an old system's log unchanged and starts its own segment", async () => {
    await using world = await AuditStore.open();
    const old = '{"timestamp": "2024-01-15T10:30:00.000000", "event_type": "promoted_to_warm"}\n';
    await mkdir(world.logs);
    await writeFile(world.path(LOG), old);
    await world.happen(2);
    await world.exportAll();
    await world.happen(1);
    await world.exportAll();
    expect(await world.read(LOG)).toBe(old);
    expect([await world.read(SECOND)]).toEqual(await world.lines([2]));
  });

  it.each([
    ["longer", (path: string) => appendFile(path, "a foreign line\n")],
    ["shorter", (path: string) => truncate(path, 40)],
    [
      "changed",
      async (path: string) => writeFile(path, (await readFile(path, "utf8")).replaceAll("acme", "evil")),
    ],
  ])(
    "continues in a new segment if its file is %s than it left it, between starts and while it runs",
    async (_how, change) => {
      await using world = await AuditStore.open();
      await world.happen(2);
      await world.exportAll();
      await change(world.path(LOG));
      const changed = await world.read(LOG);
      await world.happen(2);
      const exporter = world.exporter();
      await exporter.flush();
      expect(await world.read(LOG)).toBe(changed);
      expect(await world.read(SECOND)).toBe((await world.lines([1, 2], [2]))[1]);

      await appendFile(world.path(SECOND), "and again\n");
      await world.happen(1);
      await exporter.flush();
      const [, second, third] = await world.lines([1, 2], [2, 4], [3]);
      expect(await world.read(SECOND)).toBe(`${second}and again\n`);
      expect(await world.read(THIRD)).toBe(third);
    },
  );

  it("starts a new file under the same name if the log was rotated away, also while it runs", async () => {
    await using world = await AuditStore.open();
    await world.happen(2);
    const exporter = world.exporter();
    await exporter.flush();
    await rename(world.path(LOG), world.path("rotated"));
    await world.happen(2);
    await exporter.flush();
    const expected = await world.lines([1, 2], [1]);
    expect([await world.read("rotated"), await world.read(LOG)]).toEqual(expected);

    await exporter.close();
    await truncate(world.path(LOG), 0);
    await world.happen(1);
    await world.exportAll();
    expect(await world.read(LOG)).toBe((await world.lines([1, 2], [1, 4], [1]))[2]);
    expect(await world.segments()).toEqual([LOG]);
  });

  it("follows the file name: it continues a copy that replaced the file", async () => {
    await using world = await AuditStore.open();
    await world.happen(2);
    const exporter = world.exporter();
    await exporter.flush();
    await rename(world.path(LOG), world.path("original"));
    await copyFile(world.path("original"), world.path(LOG));
    await world.happen(1);
    await exporter.flush();
    expect([await world.read(LOG)]).toEqual(await world.lines([1]));
    expect([await world.read("original")]).toEqual(await world.lines([1, 2]));
  });

  it("writes each line once although the catalog could not store the state", async () => {
    await using world = await AuditStore.open();
    await world.happen(3);
    let refusals = 0;
    const catalog = withCommit(world.catalog, async (change) => {
      if (change.kind === "exported" && refusals++ < 2) throw new Refused("STORAGE_FULL", "No room.");
      return world.catalog.commit(change);
    });
    const exporter = world.exporter({ catalog, batchSize: 2 });
    await expect(exporter.flush()).rejects.toMatchObject({ code: "STORAGE_FULL" });
    await world.happen(1);
    await exporter.flush();
    expect([await world.read(LOG)]).toEqual(await world.lines([1]));
    await exporter.close();
  });
});
