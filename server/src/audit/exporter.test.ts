import { appendFile, copyFile, mkdir, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { describe, expect, it } from "vitest";
import { AuditStore, LOG, SECOND, THIRD, withCommit } from "../../testing/stores/audit-store.ts";

describe("the audit log", () => {
  it("has one line for each event, in order, those that were there and those that come", async () => {
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

  it("is written without being asked", async () => {
    await using world = await AuditStore.open();
    await world.exporter().purgeRefusal();
    await world.happen(1);
    const [lines] = await world.lines([1]);
    await expect.poll(() => world.read(LOG)).toBe(lines);
  });

  it("goes on where it was left, at the next start", async () => {
    await using world = await AuditStore.open();
    await world.happen(2);
    await world.exportAll();
    await world.happen(2);
    await world.exportAll();
    expect([await world.read(LOG)]).toEqual(await world.lines([1]));
    expect(await world.segments()).toEqual([LOG]);
  });

  it("leaves the old system's log as it is and begins a segment of its own", async () => {
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
    ["longer", (path: string) => appendFile(path, "somebody else's line\n")],
    ["shorter", (path: string) => truncate(path, 40)],
    [
      "changed",
      async (path: string) => writeFile(path, (await readFile(path, "utf8")).replaceAll("acme", "evil")),
    ],
  ])(
    "goes on in a new segment when its file is %s than it left it, between starts and while it runs",
    async (_how, harm) => {
      await using world = await AuditStore.open();
      await world.happen(2);
      await world.exportAll();
      await harm(world.path(LOG));
      const harmed = await world.read(LOG);
      await world.happen(2);
      const exporter = world.exporter();
      await exporter.flush();
      expect(await world.read(LOG)).toBe(harmed);
      expect(await world.read(SECOND)).toBe((await world.lines([1, 2], [2]))[1]);

      await appendFile(world.path(SECOND), "and again\n");
      await world.happen(1);
      await exporter.flush();
      const [, second, third] = await world.lines([1, 2], [2, 4], [3]);
      expect(await world.read(SECOND)).toBe(`${second}and again\n`);
      expect(await world.read(THIRD)).toBe(third);
    },
  );

  it("is begun anew under its name when it was rotated away, while it runs too", async () => {
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

  it("follows its name: a copy put in its place is gone on with", async () => {
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

  it("gets each line once although the catalog could not take note of it", async () => {
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
