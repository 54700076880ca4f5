import { cpSync, lstatSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeDirectory, runCommand, startServer, temporaryDirectory } from "../support/server.ts";

let dir: string;

beforeEach(async () => {
  dir = await temporaryDirectory();
});

afterEach(() => removeDirectory(dir));

const SIZES = [10, 1000, 9_000_000];
const published = (index: number) => join(dir, `artifacts/warm/acme/nightly/${index}.bin`);

/** Returns the size in bytes of all large files, with each inode counted once. */
function usedBytes(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const large = files.map((file) => lstatSync(file)).filter(({ size }) => size >= 9_000_000);
  return new Map(large.map(({ ino, size }) => [ino, size])).values().reduce((sum, size) => sum + size, 0);
}

it("doctor reports a store that was copied without its hard links, and a repair links it again", {
  timeout: 300_000,
}, async () => {
  await using server = await startServer({ dir });
  const tierkeep = createTierkeep({ url: server.url });
  for (const [index, size] of SIZES.entries()) {
    const key = { tenantId: "acme", workflowId: "nightly", artifactId: `${index}.bin` };
    await tierkeep.upload(key, Buffer.alloc(size, `${index}`), { tier: "WARM" });
    await expect.poll(() => lstatSync(published(index), { throwIfNoEntry: false })?.nlink).toBe(2);
  }
  await server.stop();
  expect(usedBytes(join(dir, "artifacts"))).toBe(9_000_000);

  mkdirSync(join(dir, "copy"));
  cpSync(join(dir, "artifacts"), join(dir, "copy/artifacts"), { recursive: true });
  renameSync(join(dir, "artifacts"), join(dir, "before"));
  renameSync(join(dir, "copy/artifacts"), join(dir, "artifacts"));
  expect(usedBytes(join(dir, "artifacts"))).toBe(18_000_000);

  await server.restart();
  await expect.poll(() => server.stderr).toMatch(/copies of the stored objects.*doctor --repair/);
  const found = await runCommand(["doctor"], { cwd: dir });
  expect(found.code).toBe(4);
  expect(found.stdout).toMatch(/view differs.*is a copy of its object/);
  expect(found.stdout).toContain("0 damaged, 0 missing; 0 unknown files; 3 other problems: SUCCEEDED");

  const repaired = await runCommand(["doctor", "--repair"], { cwd: dir });
  expect([repaired.code, repaired.stdout]).toEqual([
    0,
    expect.stringContaining("3 artifacts published again"),
  ]);
  expect(usedBytes(join(dir, "artifacts"))).toBe(9_000_000);
  for (const index of SIZES.keys()) expect(lstatSync(published(index)).nlink).toBe(2);
  expect(readdirSync(join(dir, "artifacts/.tierkeep/quarantine"))).toEqual([]);
  const again = await runCommand(["doctor"], { cwd: dir });
  expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/0 unknown files: SUCCEEDED/)]);
});
