import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CHECKPOINTS_FILE } from "../src/audit/log-names.ts";
import { newKeyPem, type SigningKey, signingKey } from "../src/audit/signing-key.ts";
import { type Head, shownProblem } from "../src/audit/verdict.ts";
import { scanEvent } from "../testing/catalog/sample-changes.ts";
import { SampleLog, TWO_LINES } from "../testing/stores/sample-log.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";
import { type Files, type Tampering, tamper as tamperWith } from "./tamper/tampering.ts";

export const tamper: ProofSuite = {
  name: "tamper",
  claim:
    "Verification detects every edit, removal, insertion, move and truncation in a signed audit log, from the log itself or from a saved head.",
  unit: "tamperings",
  cycles: 5_000,
  isEachAlone: true,
  open: async (dir) => {
    const run = new Tampered();
    try {
      await run.writeLogs(dir);
      return run;
    } catch (error) {
      await run[Symbol.asyncDispose]();
      throw error;
    }
  },
};

/** How a kind of log is written, in two parts. */
interface LogRecipe {
  readonly of: string;
  writeFirst(log: SampleLog, actor: string): Promise<void>;
  writeMore(log: SampleLog, actor: string): Promise<void>;
}

const RECIPES: readonly LogRecipe[] = [
  {
    of: "one file",
    async writeFirst(log, actor) {
      await log.happen(2, actor);
      await log.exportAll({ batchSize: 2 });
    },
    async writeMore(log, actor) {
      await log.happen(2, actor);
      await log.exportAll({ batchSize: 2 });
    },
  },
  {
    of: "many files",
    async writeFirst(log, actor) {
      await log.happen(5, actor);
      await log.exportAll({ batchSize: 2, segmentBytes: TWO_LINES });
    },
    async writeMore(log, actor) {
      await log.happen(4, actor);
      await log.exportAll({ batchSize: 2, segmentBytes: TWO_LINES });
    },
  },
  {
    of: "many files with a gap",
    async writeFirst(log, actor) {
      await log.happen(2, actor);
      await log.exportAll({ segmentBytes: TWO_LINES });
    },
    async writeMore(log, actor) {
      await log.withBackup(async () => {
        await log.happen(3, actor);
        await log.exportAll({ batchSize: 1, segmentBytes: TWO_LINES });
      });
      await log.catalog.commit(scanEvent({ actor: "else" }));
      await log.exportAll();
    },
  },
];

/** A valid log, and manipulated versions that only its saved head exposes. */
interface Signed {
  readonly of: string;
  readonly log: SampleLog;
  readonly files: Files;
  /** Saved outside the log. */
  readonly head: Head;
  /** Manipulated logs that are consistent and signed by the right key. */
  readonly consistent: readonly Tampering[];
}

class Tampered implements ProofRun {
  readonly figures = { "found by the log itself": 0, "found by a saved head": 0 };
  readonly #opened = new AsyncDisposableStack();
  readonly #logs: Signed[] = [];

  async writeLogs(dir: string): Promise<void> {
    const key = signingKey(newKeyPem());
    for (const [index, recipe] of RECIPES.entries()) {
      const log = await this.#logIn(join(dir, `log-${index}`), key);
      await recipe.writeFirst(log, "system");
      const earlier = await filesOf(log);
      await recipe.writeMore(log, "system");
      const files = await filesOf(log);
      const { head } = await log.verify();
      if (head === null) throw new Error(`Verification of an unchanged log of ${recipe.of} failed.`);
      const forged = await this.#logIn(join(dir, `forged-${index}`), key);
      await recipe.writeFirst(forged, "forger");
      await recipe.writeMore(forged, "forger");
      const consistent = [
        { how: "its last events and their checkpoints removed", files: earlier },
        { how: "another log, signed with the same key", files: await filesOf(forged) },
      ];
      for (const { how, files: instead } of consistent) {
        await put(log, instead, files);
        if ((await log.verify()).problem !== null)
          throw new Error(`Without a saved head, verification refused this log of ${recipe.of}: ${how}.`);
        await put(log, files, instead);
      }
      this.#logs.push({ of: recipe.of, log, files, head, consistent });
    }
  }

  async cycle(random: SeededRandom): Promise<readonly string[]> {
    const { of, log, files, head, consistent } = random.oneOf(this.#logs);
    const isByHead = random.between(0, 9) === 0;
    const tampering = isByHead ? random.oneOf(consistent) : tamperWith(files, random);
    await put(log, tampering.files, files);
    const { problem } = await log.verify(isByHead ? [head] : []);
    await put(log, files, tampering.files);
    if (problem === null) return [`In a log of ${of}, verification did not detect: ${tampering.how}.`];
    this.figures[isByHead ? "found by a saved head" : "found by the log itself"] += 1;
    return [];
  }

  /** Checks that the restored logs are valid, so that each detected problem was a manipulation. */
  async finish(): Promise<readonly string[]> {
    const broken: string[] = [];
    for (const { of, log, head } of this.#logs) {
      const { problem } = await log.verify([head]);
      if (problem !== null)
        broken.push(`Verification of an unchanged log of ${of} failed: ${shownProblem(problem)}.`);
    }
    return broken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  async #logIn(folder: string, key: SigningKey): Promise<SampleLog> {
    await mkdir(folder);
    return this.#opened.use(await SampleLog.in(folder, key));
  }
}

async function filesOf(log: SampleLog): Promise<Files> {
  const names = [...(await log.segments()), CHECKPOINTS_FILE];
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(log.path(name), "latin1")] as const)),
  );
}

async function put(log: SampleLog, files: Files, instead: Files): Promise<void> {
  for (const name of new Set([...files.keys(), ...instead.keys()])) {
    const text = files.get(name);
    if (text === undefined) await rm(log.path(name));
    else if (text !== instead.get(name)) await writeFile(log.path(name), text, "latin1");
  }
}
