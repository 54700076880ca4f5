import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createTierkeep } from "@tierkeep/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { backup } from "./backup.ts";
import { crash } from "./crash.ts";
import { runSuite } from "./run-suite.ts";
import { seededRandom } from "./seeded-random.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tierkeep-served-test-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const SUITES = [
  { suite: crash, served: "." },
  { suite: backup, served: "served" },
];

it("the suite crash fails if the server ends before it is killed", async () => {
  await using run = await crash.open(dir);
  const { pid } = ownerOf(dir);
  const cycle = run.cycle(seededRandom(1));
  process.kill(pid, "SIGTERM");
  await expect(cycle).rejects.toThrow("The server ended unexpectedly with 0");
});

describe.each(SUITES)("the suite $suite.name", ({ suite, served }) => {
  it("finds no violation, and leaves neither files nor a server", async () => {
    const seed = Math.floor(Math.random() * 1e9);
    let url = "";
    const result = await runSuite(suite, {
      dir,
      seed,
      cycles: 2,
      // The server still runs after the last cycle.
      onProgress: () => {
        url = ownerOf(join(dir, suite.name, served)).url;
      },
    });
    expect(result.broken, `seed ${seed}`).toEqual([]);
    expect(result.tried).toBe(2);
    expect(result.figures["changes acknowledged"]).toBeGreaterThan(0);
    expect(existsSync(join(dir, suite.name))).toBe(false);
    expect(url).not.toBe("");
    await expect(fetch(url)).rejects.toThrow();
  });

  it("reports an artifact that the suite has not written", async () => {
    await using run = await suite.open(dir);
    const tierkeep = createTierkeep({ url: ownerOf(join(dir, served)).url });
    const artifactId = "foreign";
    await tierkeep.upload({ tenantId: "tenant-0", workflowId: "workflow-0", artifactId }, Buffer.from("?"));
    expect((await run.cycle(seededRandom(1))).join("\n")).toContain(
      "tenant-0/workflow-0/foreign exists, and no client wrote it",
    );
  });
});

function ownerOf(store: string): { readonly url: string; readonly pid: number } {
  return JSON.parse(readFileSync(join(store, "artifacts/.tierkeep/owner.json"), "utf8"));
}
