import { mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { AuditStore, LOG } from "../../testing/stores/audit-store.ts";

describe("purging", () => {
  it("is refused while the log is a directory, and allowed again once it can be written", async () => {
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

  it("is refused at once when the log is taken away under a running server, before anything was lost", async () => {
    await using world = await AuditStore.open();
    const exporter = world.exporter();
    await world.happen(1);
    await exporter.flush();
    expect(await exporter.purgeRefusal()).toBeNull();
    await rename(world.logs, `${world.logs}-away`);
    await writeFile(world.logs, "no directory");
    expect(await exporter.purgeRefusal()).toMatchObject({ code: "UNAVAILABLE" });
  });

  it("is allowed when the log was merely rotated away", async () => {
    await using world = await AuditStore.open();
    const exporter = world.exporter();
    expect(await exporter.purgeRefusal()).toBeNull();
    await rm(world.path(LOG));
    expect(await exporter.purgeRefusal()).toBeNull();
    expect(await world.read(LOG)).toBe("");
  });

  it("waits for the first look at the log instead of being refused", async () => {
    await using world = await AuditStore.open();
    const gate = Promise.withResolvers<void>();
    const exporter = world.exporter({
      sync: async (handle) => {
        await gate.promise;
        await handle.sync();
      },
    });
    const asked = exporter.purgeRefusal();
    expect(await Promise.race([asked, Promise.resolve("waits")])).toBe("waits");
    gate.resolve();
    expect(await asked).toBeNull();
  });

  it("is refused when a sync fails, and the lines are there once when it works again", async () => {
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

  it("is refused when events have waited for the log too long, without waiting with them", async () => {
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
