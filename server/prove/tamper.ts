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
    "Whatever is edited, removed, put in, moved or cut off in a signed audit log is found, by the log or by a head of it that was kept.",
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

/** What happens in a log, in two parts. */
interface Story {
  readonly of: string;
  begin(log: SampleLog, actor: string): Promise<void>;
  goOn(log: SampleLog, actor: string): Promise<void>;
}

const STORIES: readonly Story[] = [
  {
    of: "one file",
    async begin(log, actor) {
      await log.happen(2, actor);
      await log.exportAll({ batchSize: 2 });
    },
    async goOn(log, actor) {
      await log.happen(2, actor);
      await log.exportAll({ batchSize: 2 });
    },
  },
  {
    of: "many files",
    async begin(log, actor) {
      await log.happen(5, actor);
      await log.exportAll({ batchSize: 2, segmentBytes: TWO_LINES });
    },
    async goOn(log, actor) {
      await log.happen(4, actor);
      await log.exportAll({ batchSize: 2, segmentBytes: TWO_LINES });
    },
  },
  {
    of: "many files with a gap",
    async begin(log, actor) {
      await log.happen(2, actor);
      await log.exportAll({ segmentBytes: TWO_LINES });
    },
    async goOn(log, actor) {
      await log.withBackup(async () => {
        await log.happen(3, actor);
        await log.exportAll({ batchSize: 1, segmentBytes: TWO_LINES });
      });
      await log.catalog.commit(scanEvent({ actor: "else" }));
      await log.exportAll();
    },
  },
];

/** A log that stands, and what could be put in its place. */
interface Signed {
  readonly of: string;
  readonly log: SampleLog;
  readonly files: Files;
  /** Kept where nobody could change it. */
  readonly head: Head;
  /** By what was done, logs that are whole in themselves and signed by the right key. */
  readonly passable: readonly Tampering[];
}

class Tampered implements ProofRun {
  readonly figures = { "found by the log itself": 0, "found by a head that was kept": 0 };
  readonly #opened = new AsyncDisposableStack();
  readonly #logs: Signed[] = [];

  async writeLogs(dir: string): Promise<void> {
    const key = signingKey(newKeyPem());
    for (const [index, story] of STORIES.entries()) {
      const log = await this.#logIn(join(dir, `log-${index}`), key);
      await story.begin(log, "system");
      const earlier = await filesOf(log);
      await story.goOn(log, "system");
      const files = await filesOf(log);
      const { head } = await log.verify();
      if (head === null)
        throw new Error(`The log of ${story.of} does not stand before anything is done to it.`);
      const forged = await this.#logIn(join(dir, `forged-${index}`), key);
      await story.begin(forged, "forger");
      await story.goOn(forged, "forger");
      const passable = [
        { how: "what came last cut off, checkpoints and all", files: earlier },
        { how: "all of it forged with the key that signs it", files: await filesOf(forged) },
      ];
      for (const { how, files: instead } of passable) {
        await put(log, instead, files);
        if ((await log.verify()).problem !== null)
          throw new Error(`A log of ${story.of} passes for none: ${how}.`);
        await put(log, files, instead);
      }
      this.#logs.push({ of: story.of, log, files, head, passable });
    }
  }

  async cycle(random: SeededRandom): Promise<readonly string[]> {
    const { of, log, files, head, passable } = random.oneOf(this.#logs);
    const isByHead = random.between(0, 9) === 0;
    const tampering = isByHead ? random.oneOf(passable) : tamperWith(files, random);
    await put(log, tampering.files, files);
    const { problem } = await log.verify(isByHead ? [head] : []);
    await put(log, files, tampering.files);
    if (problem === null) return [`In a log of ${of} this was not found: ${tampering.how}.`];
    this.figures[isByHead ? "found by a head that was kept" : "found by the log itself"] += 1;
    return [];
  }

  /** Of what was found nothing may have been the log's own fault. */
  async finish(): Promise<readonly string[]> {
    const broken: string[] = [];
    for (const { of, log, head } of this.#logs) {
      const { problem } = await log.verify([head]);
      if (problem !== null)
        broken.push(`A log of ${of} that nobody harmed is refused: ${shownProblem(problem)}.`);
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
