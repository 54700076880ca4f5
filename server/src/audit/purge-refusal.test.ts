import { mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { AuditStore, LOG } from "../../testing/stores/audit-store.ts";

describe("AuditExporter.purgeRefusal", () => {
  it("refuses while the log is a directory, and allows purges again once the log can be written", async () => {
    await using world = await AuditStore.open();
    await mkdir(world.path(LOG), { recursive: true });
    const problems: string[] = [];
    const exporter = world.exporter({ onProblem: (message) => problems.push(message) });
    const refusal = await exporter.purgeRefusal();
    expect(refusal).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("EISDIR") });
    expect(refusal?.message).not.toContain(world.logs);
    expect(exporter.health()).toMatchObject({ failing: true, error: "EISDIR" });
    await expect(exporter.flush()).rejects.toThrow("EISDIR");
    expect(problems).toHaveLength(1);

    await rmdir(world.path(LOG));
    await expect.poll(() => exporter.purgeRefusal()).toBeNull();
    expect(exporter.health().failing).toBe(false);
  });

  it("refuses immediately when the log is removed under a running server, before a write fails", async () => {
    await using world = await AuditStore.open();
    const exporter = world.exporter();
    await world.happen(1);
    await exporter.flush();
    expect(await exporter.purgeRefusal()).toBeNull();
    await rename(world.logs, `${world.logs}-away`);
    await writeFile(world.logs, "no directory");
    expect(await exporter.purgeRefusal()).toMatchObject({ code: "UNAVAILABLE" });
  });

  it("allows purges after the log was rotated away", async () => {
    await using world = await AuditStore.open();
    const exporter = world.exporter();
    expect(await exporter.purgeRefusal()).toBeNull();
    await rm(world.path(LOG));
    expect(await exporter.purgeRefusal()).toBeNull();
    expect(await world.read(LOG)).toBe("");
  });

  it("waits for the first attempt instead of refusing", async () => {
    await using world = await AuditStore.open();
    const gate = Promise.withResolvers<void>();
    const exporter = world.exporter({
      sync: async (handle) => {
        await gate.promise;
        await handle.sync();
      },
    });
    const refusal = exporter.purgeRefusal();
    expect(await Promise.race([refusal, Promise.resolve("waits")])).toBe("waits");
    gate.resolve();
    expect(await refusal).toBeNull();
  });

  it("refuses when a sync fails; the lines are written once when syncs work again", async () => {
    await using world = await AuditStore.open();
    await world.happen(2);
    let broken = true;
    const exporter = world.exporter({
      sync: async (handle) => {
        if (broken) throw Object.assign(new Error("i/o error"), { code: "EIO" });
        await handle.sync();
      },
    });
    expect(await exporter.purgeRefusal()).toMatchObject({ message: expect.stringContaining("EIO") });
    broken = false;
    await exporter.flush();
    expect(await exporter.purgeRefusal()).toBeNull();
    expect([await world.read(LOG)]).toEqual(await world.lines([1]));
  });

  it("refuses without waiting when events have waited too long for the log", async () => {
    await using world = await AuditStore.open();
    const gate = Promise.withResolvers<void>();
    let hangs = false;
    const exporter = world.exporter({
      sync: async (handle) => {
        if (hangs) await gate.promise;
        await handle.sync();
      },
    });
    expect(await exporter.purgeRefusal()).toBeNull();
    hangs = true;
    await world.happen(1);
    const now = performance.now();
    const later = vi.spyOn(performance, "now").mockReturnValue(now + 61_000);
    try {
      expect(exporter.health().lagSeconds).toBeGreaterThan(60);
      expect(await exporter.purgeRefusal()).toMatchObject({ code: "UNAVAILABLE" });
    } finally {
      later.mockRestore();
      gate.resolve();
    }
    await exporter.flush();
    expect(await exporter.purgeRefusal()).toBeNull();
  });
});
