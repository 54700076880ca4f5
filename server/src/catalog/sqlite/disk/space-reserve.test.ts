import { readFileSync, rmSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import { tempDir } from "../../../../testing/sqlite/temp-dir.ts";
import { BALLAST_BYTES, Ballast, BallastKeeper } from "./space-reserve.ts";

it("is made, given up a slice at a time, and made again", async () => {
  using folder = tempDir();
  const path = folder.file("ballast");
  const sizeBytes = () => statSync(path, { throwIfNoEntry: false })?.size;
  const keeper = new BallastKeeper(path);
  await expect.poll(sizeBytes).toBe(BALLAST_BYTES);
  await keeper.stop();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const ballast = new Ballast(path);
  expect(ballast.released).toBe(false);
  expect(ballast.release()).toBe(true);
  expect(ballast.released).toBe(true);
  expect(sizeBytes()).toBeGreaterThan(BALLAST_BYTES / 2);
  while (ballast.release());
  expect(sizeBytes()).toBe(0);
  const next = new BallastKeeper(path);
  await expect.poll(() => ballast.released).toBe(false);
  expect(sizeBytes()).toBe(BALLAST_BYTES);
  await next.stop();
});

it("takes up real room: zeros might take none", async () => {
  using folder = tempDir();
  const path = folder.file("ballast");
  const keeper = new BallastKeeper(path);
  await expect.poll(() => statSync(path, { throwIfNoEntry: false })?.size).toBe(BALLAST_BYTES);
  await keeper.stop();
  expect(
    readFileSync(path)
      .subarray(-4096)
      .every((byte) => byte === 0),
  ).toBe(false);
});

it("that never was whole is not given up", () => {
  using folder = tempDir();
  const ballast = new Ballast(folder.file("ballast"));
  expect([ballast.released, ballast.release(), ballast.released]).toEqual([false, false, false]);
});

it("says that the store takes no writes while it is short, or where its folder is gone", async () => {
  using folder = tempDir();
  const path = folder.file("ballast");
  const keeper = new BallastKeeper(path);
  await expect.poll(() => statSync(path, { throwIfNoEntry: false })?.size).toBe(BALLAST_BYTES);
  expect(keeper.problem).toBeNull();
  await keeper.stop();
  rmSync(path);
  const away = new BallastKeeper(folder.file("away/ballast"));
  await expect.poll(() => away.problem).toBe("the store's folder cannot be written (ENOENT)");
  await away.stop();
});
