import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ContentRecovery } from "../src/integrity/content-recovery.ts";
import { EngineArtifacts } from "../src/services/artifact-service.ts";
import { rot } from "./rot.ts";
import { seededRandom } from "./seeded-random.ts";
import type { ProofRun } from "./suite.ts";

const DAMAGES = 10_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tierkeep-rot-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

/** Returns the figures of one cycle. */
async function figuresOf(seed: number): Promise<ProofRun["figures"]> {
  await using run = await rot.open(dir);
  expect(await run.cycle(seededRandom(seed))).toEqual([]);
  return run.figures;
}

describe("the suite rot", () => {
  it(`finds each of ${DAMAGES} random damages with one event, changes nothing else, and repairs all whose bytes exist`, async () => {
    const first = Number(process.env.ROT_SEED ?? Math.floor(Math.random() * 2 ** 31));
    await using run = await rot.open(dir);
    const { figures } = run;
    for (let seed = first; (figures["artifacts damaged"] ?? 0) < DAMAGES; seed++)
      expect(await run.cycle(seededRandom(seed)), `repeat this with ROT_SEED=${seed}`).toEqual([]);
    expect(figures.found).toBe(figures["artifacts damaged"]);
    expect(figures.repaired).toBeGreaterThan(0);
    expect(readdirSync(dir)).toEqual([]);
  }, 600_000);

  it("does not let a repair delete the last file with the right bytes after objects were swapped", async () => {
    // With this seed two objects are swapped, and only their published files have the right bytes.
    await expect(figuresOf(4)).resolves.toMatchObject({ "artifacts damaged": 699, repaired: 89 });
  }, 600_000);

  it("repeats a seed exactly", async () => {
    const figures = await figuresOf(1);
    expect(await figuresOf(1)).toEqual(figures);
    expect(await figuresOf(2)).not.toEqual(figures);
  }, 600_000);

  it("reports a wrong body, with the damage to its file", async () => {
    const { open } = EngineArtifacts.prototype;
    vi.spyOn(EngineArtifacts.prototype, "open").mockImplementation(async function (
      this: EngineArtifacts,
      ...request
    ) {
      try {
        return await open.apply(this, request);
      } catch (error) {
        const [artifact] = await this.getMany(request[0], [request[1]]);
        if (!artifact || !(error instanceof Refused)) throw error;
        return { artifact, sizeBytes: 5, body: one(Buffer.from("wrong")) };
      }
    });
    await using run = await rot.open(dir);
    const broken = await run.cycle(seededRandom(1));
    expect(broken[0]).toMatch(
      /^A read returned bytes that were never written: a\d+ \(.+\), .* and \d+ more\.$/,
    );
  });

  it("reports a repair that recovers nothing", async () => {
    vi.spyOn(ContentRecovery.prototype, "recover").mockResolvedValue(true);
    await using run = await rot.open(dir);
    const broken = await run.cycle(seededRandom(1));
    expect(broken[0]).toMatch(/^No recovery event for a\d+ \(.*\), .* and \d+ more\.$/);
    expect(readdirSync(dir)).toEqual([]);
  });
});

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
