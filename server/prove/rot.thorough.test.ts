import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
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

/** Of one round. */
async function figuresOf(seed: number): Promise<ProofRun["figures"]> {
  await using run = await rot.open(dir);
  expect(await run.cycle(seededRandom(seed))).toEqual([]);
  return run.figures;
}

it(`${DAMAGES} damages by chance are each found, with one event, and hurt nothing else; what has its bytes left is repaired`, async () => {
  const first = Number(process.env.ROT_SEED ?? Math.floor(Math.random() * 2 ** 31));
  await using run = await rot.open(dir);
  const { figures } = run;
  for (let seed = first; (figures["artifacts damaged"] ?? 0) < DAMAGES; seed++)
    expect(await run.cycle(seededRandom(seed)), `repeat this with ROT_SEED=${seed}`).toEqual([]);
  expect(figures["of them found"]).toBe(figures["artifacts damaged"]);
  expect(figures.repaired).toBeGreaterThan(0);
  expect(readdirSync(dir)).toEqual([]);
}, 600_000);

it("a repair keeps the last file with the right bytes, where objects were swapped", async () => {
  // With this seed two objects are swapped whose files in the tree are the last right ones.
  await expect(figuresOf(4)).resolves.toMatchObject({ "artifacts damaged": 699, repaired: 89 });
}, 600_000);

it("the same is damaged with the same seed, and something else with another", async () => {
  const figures = await figuresOf(1);
  expect(await figuresOf(1)).toEqual(figures);
  expect(await figuresOf(2)).not.toEqual(figures);
}, 600_000);

it("a wrong body is told of, with what had been done to the file", async () => {
  const { open } = EngineArtifacts.prototype;
  vi.spyOn(EngineArtifacts.prototype, "open").mockImplementation(async function (
    this: EngineArtifacts,
    ...asked
  ) {
    try {
      return await open.apply(this, asked);
    } catch (error) {
      const [artifact] = await this.getMany(asked[0], [asked[1]]);
      if (!artifact || !(error instanceof Refused)) throw error;
      return { artifact, sizeBytes: 5, body: one(Buffer.from("wrong")) };
    }
  });
  await using run = await rot.open(dir);
  const broken = await run.cycle(seededRandom(1));
  expect(broken[0]).toMatch(
    /^A read gave bytes that are not the ones that were written: a\d+ \(.+\), .* and \d+ more\.$/,
  );
});

it("a repair that brings nothing back is told of", async () => {
  vi.spyOn(ContentRecovery.prototype, "recover").mockResolvedValue(true);
  await using run = await rot.open(dir);
  const broken = await run.cycle(seededRandom(1));
  expect(broken[0]).toMatch(/^There is no event of healing of a\d+ \(.*\), .* and \d+ more\.$/);
  expect(readdirSync(dir)).toEqual([]);
});

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
