import { readFileSync, rmSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import { tempDir } from "../../testing/sqlite/temp-dir.ts";
import { SPACE_RESERVE_BYTES, SpaceReserve, SpaceReserveKeeper } from "./space-reserve.ts";

it("creates the reserve, releases it slice by slice, and fills it again", async () => {
  using folder = tempDir();
  const path = folder.file("ballast");
  const sizeBytes = () => statSync(path, { throwIfNoEntry: false })?.size;
  const keeper = new SpaceReserveKeeper(path);
  await expect.poll(sizeBytes).toBe(SPACE_RESERVE_BYTES);
  await keeper.stop();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const spaceReserve = new SpaceReserve(path);
  expect(spaceReserve.released).toBe(false);
  expect(spaceReserve.release()).toBe(true);
  expect(spaceReserve.released).toBe(true);
  expect(sizeBytes()).toBeGreaterThan(SPACE_RESERVE_BYTES / 2);
  while (spaceReserve.release());
  expect(sizeBytes()).toBe(0);
  const next = new SpaceReserveKeeper(path);
  await expect.poll(() => spaceReserve.released).toBe(false);
  expect(sizeBytes()).toBe(SPACE_RESERVE_BYTES);
  await next.stop();
});

it("fills the reserve with random bytes, which occupy space on any disk", async () => {
  using folder = tempDir();
  const path = folder.file("ballast");
  const keeper = new SpaceReserveKeeper(path);
  await expect.poll(() => statSync(path, { throwIfNoEntry: false })?.size).toBe(SPACE_RESERVE_BYTES);
  await keeper.stop();
  expect(
    readFileSync(path)
      .subarray(-4096)
      .every((byte) => byte === 0),
  ).toBe(false);
});

it("releases nothing while the reserve was never complete", () => {
  using folder = tempDir();
  const spaceReserve = new SpaceReserve(folder.file("ballast"));
  expect([spaceReserve.released, spaceReserve.release(), spaceReserve.released]).toEqual([
    false,
    false,
    false,
  ]);
});

it("reports a full disk while the reserve is short, and a folder that is missing", async () => {
  using folder = tempDir();
  const path = folder.file("ballast");
  const keeper = new SpaceReserveKeeper(path);
  await expect.poll(() => statSync(path, { throwIfNoEntry: false })?.size).toBe(SPACE_RESERVE_BYTES);
  expect(keeper.problem).toBeNull();
  await keeper.stop();
  rmSync(path);
  const away = new SpaceReserveKeeper(folder.file("away/ballast"));
  await expect.poll(() => away.problem).toBe("the store's folder cannot be written (ENOENT)");
  await away.stop();
});
