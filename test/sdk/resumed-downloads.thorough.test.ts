import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { ChecksumMismatchError, ConnectionError, createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { downloadFile } from "@tierkeep/sdk/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { removeDirectory, temporaryDirectory } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();
const SIZE = 5_000_000;

let folder: string;
let target: string;
let key: { tenantId: string; workflowId: string; artifactId: string };
let content: Buffer;

beforeEach(async () => {
  folder = await temporaryDirectory();
  target = join(folder, "model.bin");
  key = { tenantId: newTenant(), workflowId: "w", artifactId: "model.bin" };
  content = randomBytes(SIZE);
  await shared.tierkeep.upload(key, content);
});

afterEach(() => removeDirectory(folder));

/**
 * Creates a client whose first downloads break, each after the given number of bytes. Later downloads are
 * complete. `ranges` has the Range header of each download, or null.
 */
function breakingAfter(...allowances: number[]): { tierkeep: Tierkeep; ranges: (string | null)[] } {
  const ranges: (string | null)[] = [];
  const tierkeep = createTierkeep({
    url: shared.server.url,
    retries: 1,
    async fetch(url, init) {
      const response = await fetch(url, init);
      if (!url.includes("/artifacts/")) return response;
      ranges.push(new Headers(init.headers).get("range"));
      const allowance = allowances.shift();
      if (allowance === undefined) return response;
      let left = allowance;
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          controller.enqueue(chunk.subarray(0, left));
          left -= chunk.length;
          if (left <= 0) controller.error(new Error("cut"));
        },
      });
      return new Response(response.body?.pipeThrough(cut) ?? null, response);
    },
  });
  return { tierkeep, ranges };
}

async function partials(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(".part"));
}

describe("a download into a file", () => {
  it("resumes after a broken connection and verifies the complete content", async () => {
    const { tierkeep, ranges } = breakingAfter(2_000_000, 1_000_000);
    const progress: number[] = [];
    const file = await downloadFile(tierkeep, key, target, {
      onProgress: ({ receivedBytes }) => progress.push(receivedBytes),
    });
    expect(ranges).toEqual([null, "bytes=2000000-", "bytes=3000000-"]);
    expect(file).toMatchObject({
      sizeBytes: SIZE,
      checksum: createHash("sha256").update(content).digest("hex"),
    });
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(progress.at(-1)).toBe(SIZE);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(await partials()).toEqual([]);
  });

  it("fails if a retry receives no bytes, and keeps the partial file only with resume", async () => {
    await expect(downloadFile(breakingAfter(2_000_000, 0).tierkeep, key, target)).rejects.toBeInstanceOf(
      ConnectionError,
    );
    expect(await readdir(folder)).toEqual([]);
    const kept: unknown[] = [];
    const again = downloadFile(breakingAfter(2_000_000, 0).tierkeep, key, target, {
      resume: true,
      onKept: ({ sizeBytes }) => kept.push(sizeBytes),
    });
    await expect(again).rejects.toBeInstanceOf(ConnectionError);
    expect(kept).toEqual([2_000_000]);
    expect(await partials()).toHaveLength(1);
  });

  it("with resume continues the partial file of an earlier download", async () => {
    const resume = true;
    await downloadFile(breakingAfter(2_000_000, 0).tierkeep, key, target, { resume }).catch(() => {});
    const { tierkeep, ranges } = breakingAfter();
    await downloadFile(tierkeep, key, target, { resume });
    expect(ranges).toEqual(["bytes=1999999-"]);
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(await readdir(folder)).toEqual(["model.bin"]);
  });

  it("with resume continues the partial file of a killed process, but not of a running or remote one", async () => {
    const resume = true;
    const half = content.subarray(0, 2_000_000);
    const checksum = createHash("sha256").update(content).digest("hex").slice(0, 32);
    const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
    const leftBy = (host: string, pid: number | undefined) =>
      join(folder, `.model.bin.${checksum}.${host}-${pid}-00000000.part`);
    const ended = spawnSync(process.execPath, ["--version"]).pid;
    const [gone, alive, remote] = [
      leftBy(machine, ended),
      leftBy(machine, process.pid),
      leftBy("00000000", ended),
    ];
    for (const path of [gone, alive, remote]) await writeFile(path, half);
    for (const range of ["bytes=1999999-", null]) {
      const { tierkeep, ranges } = breakingAfter();
      await downloadFile(tierkeep, key, target, { resume });
      expect(ranges).toEqual([range]);
      expect((await readFile(target)).equals(content)).toBe(true);
      expect((await partials()).sort()).toEqual([alive, remote].map((path) => basename(path)).sort());
    }
  });

  it.each([180, 200, 255])("with resume works for a name of %i bytes", async (length) => {
    target = join(folder, "n".repeat(length));
    await downloadFile(breakingAfter(2_000_000, 0).tierkeep, key, target, { resume: true }).catch(() => {});
    const { tierkeep, ranges } = breakingAfter();
    await downloadFile(tierkeep, key, target, { resume: true });
    expect(ranges).toEqual(["bytes=1999999-"]);
    expect(await readdir(folder)).toEqual([basename(target)]);
  });

  it("with resume starts again if the artifact has longer or shorter content now", async () => {
    for (const other of [randomBytes(SIZE + 1), randomBytes(10)]) {
      const resume = true;
      await shared.tierkeep.upload(key, content);
      await downloadFile(breakingAfter(2_000_000, 0).tierkeep, key, target, { resume }).catch(() => {});
      await shared.tierkeep.upload(key, other);
      await downloadFile(shared.tierkeep, key, target, { resume });
      expect((await readFile(target)).equals(other)).toBe(true);
      expect(await readdir(folder)).toEqual(["model.bin"]);
    }
  });

  it("with resume rejects and deletes a partial file that was changed", async () => {
    const resume = true;
    await writeFile(target, "before");
    await downloadFile(breakingAfter(2_000_000, 0).tierkeep, key, target, { resume }).catch(() => {});
    const [part = ""] = await partials();
    await writeFile(join(folder, part), Buffer.alloc(2_000_000));
    await expect(downloadFile(shared.tierkeep, key, target, { resume })).rejects.toBeInstanceOf(
      ChecksumMismatchError,
    );
    expect(await readdir(folder)).toEqual(["model.bin"]);
    expect(await readFile(target, "utf8")).toBe("before");
  });
});
