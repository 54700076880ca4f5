import { hash } from "node:crypto";
import { appendFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scanEvent } from "../catalog/contract/sample-changes.ts";
import { CHECKPOINTS_FILE } from "./log-names.ts";
import { newKeyPem, PublicKeys, signingKey } from "./signing-key.ts";
import { KEY, LOG, SECOND, THIRD, World } from "./test-world.ts";
import { verifyLog } from "./verify.ts";

const TWO_LINES = 600;

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(path, "utf8");
  const changed = change(text);
  if (changed === text) throw new Error("nothing was changed");
  await writeFile(path, changed);
}

describe("an audit log that nobody touched", () => {
  it("is accepted, with the head to keep", async () => {
    await using world = await World.open();
    await world.happen(5);
    await world.exportAll({ batchSize: 2 });
    const verdict = await world.verify();
    expect(verdict).toMatchObject({ problem: null, lines: 5, unchainedLines: 0, files: 1, gaps: [] });
    expect(verdict.head).toMatchObject({ seq: 5, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    // One when the log was begun, and one for each batch.
    expect(verdict.checkpoints).toBe(4);
  });

  it("is accepted when nothing has happened yet", async () => {
    await using world = await World.open();
    await world.exporter().purgeRefusal();
    expect(await world.verify()).toMatchObject({ problem: null, lines: 0, head: null });
  });

  it("is one chain across files, each begun once the one before has its size", async () => {
    await using world = await World.open();
    await world.happen(5);
    await world.exportAll({ batchSize: 1, segmentBytes: TWO_LINES });
    const [first, second, third] = await world.lines([1, 2], [2, 4], [3]);
    expect([await world.read(LOG), await world.read(SECOND), await world.read(THIRD)]).toEqual([
      first,
      second,
      third,
    ]);
    expect(await world.verify()).toMatchObject({ problem: null, lines: 5, files: 3, gaps: [] });
  });

  it("is accepted from the first file that was not moved away, given the head that came before it", async () => {
    await using world = await World.open();
    await world.happen(2);
    await world.exportAll({ segmentBytes: TWO_LINES });
    const { head } = await world.verify();
    await world.happen(3);
    await world.exportAll({ segmentBytes: TWO_LINES });
    await rm(world.path(LOG));
    expect((await world.verify()).problem).toMatchObject({ file: SECOND, line: 1 });
    expect((await world.verify([{ seq: 2, hash: "0".repeat(64) }])).problem).not.toBeNull();
    if (head === null) throw new Error("no head");
    expect(await world.verify([head])).toMatchObject({ problem: null, lines: 3 });
  });

  it("may have been rotated by somebody else, as long as all of its files are there", async () => {
    await using world = await World.open();
    await world.happen(2);
    await world.exportAll();
    await rename(world.path(LOG), world.path("lifecycle_events.jsonl-2026"));
    await world.happen(2);
    await world.exportAll();
    expect(await world.verify()).toMatchObject({
      problem: null,
      lines: 4,
      gaps: [{ file: LOG, seq: 2, reason: "missing" }],
    });
  });

  it("may begin with lines from before lines were chained, which it says", async () => {
    await using world = await World.open();
    await world.happen(3);
    await mkdir(world.logs);
    const lines = (await world.lines([1])).join("").replaceAll(/,"(?:segment|prev)":[^,}]+/g, "");
    await writeFile(world.path(LOG), lines);
    const head = hash("sha256", lines);
    const state = { file: LOG, offset: lines.length, seq: 3, head };
    await world.catalog.commit({ kind: "exported", state });
    await world.happen(2);
    await world.exportAll();
    expect(await world.segments()).toEqual([LOG]);
    expect(await world.verify()).toMatchObject({ problem: null, lines: 5, unchainedLines: 3, gaps: [] });
    await edit(world.path(LOG), (text) => text.replace(/^(.*\n.*\n.*)system/, "$1nobody"));
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 3 });
  });

  it("is accepted although its checkpoints were begun anew, and the chain still proves all of it", async () => {
    await using world = await World.open();
    await world.happen(3);
    await world.exportAll({ batchSize: 1, segmentBytes: TWO_LINES });
    await rm(world.path(CHECKPOINTS_FILE));
    await world.happen(1);
    await world.exportAll({ segmentBytes: TWO_LINES });
    expect(await world.verify()).toMatchObject({ problem: null, lines: 4, files: 2 });
    await edit(world.path(LOG), (text) => text.replace("system", "nobody"));
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 1 });
  });

  it("is signed by whatever keys its server had, one after another", async () => {
    await using world = await World.open();
    const second = signingKey(newKeyPem());
    await world.happen(1);
    await world.exportAll();
    await world.happen(1);
    await world.exportAll({ key: second });
    const published = await world.read("lifecycle_events.public-key.pem");
    expect(new PublicKeys(published).ids).toEqual([KEY.id, second.id]);
    const verify = (text: string) =>
      verifyLog({ directory: world.logs, keys: new PublicKeys(text), patienceMs: 0 });
    expect(await verify(published)).toMatchObject({ problem: null, lines: 2 });
    expect((await verify(KEY.publicPem)).problem).toMatchObject({
      file: CHECKPOINTS_FILE,
      message: expect.stringContaining(second.id),
    });
  });
});

describe("a gap", () => {
  it("is signed where the catalog came back from a backup, and what the log had said since stays proved", async () => {
    await using world = await World.open();
    await world.happen(2);
    await world.exportAll();
    await world.withBackup(async () => {
      await world.happen(3);
      await world.exportAll();
    });
    await world.catalog.commit(scanEvent({ actor: "somebody else" }));
    await world.exportAll();
    expect(await world.verify()).toMatchObject({
      problem: null,
      lines: 6,
      gaps: [{ file: SECOND, seq: 2, reason: "ahead" }],
    });
    await edit(world.path(LOG), (text) => text.replace(/system(?=[^\n]*\n$)/, "nobody"));
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 5 });
  });

  it("is signed where a rebuilt catalog begins its log anew", async () => {
    await using world = await World.open();
    await using rebuilt = await World.open();
    await world.happen(2);
    await world.exportAll();
    await rebuilt.happen(1);
    await rebuilt.catalog.commit(scanEvent({ actor: "somebody else" }));
    const exporter = rebuilt.exporter({ directory: world.logs });
    await exporter.flush();
    expect(await world.verify()).toMatchObject({
      problem: null,
      lines: 4,
      gaps: [{ file: SECOND, seq: 0, reason: "unknown" }],
    });
  });

  it("does not excuse bytes that somebody added to the log, and is all that is told once they are removed", async () => {
    await using world = await World.open();
    await world.happen(2);
    await world.exportAll();
    const text = await world.read(LOG);
    await appendFile(world.path(LOG), "somebody else's line\n");
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 3 });
    await world.happen(1);
    await world.exportAll();
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 3 });
    await writeFile(world.path(LOG), text);
    expect(await world.verify()).toMatchObject({ problem: null, gaps: [{ file: SECOND, reason: "ahead" }] });
  });

  it("does not make up for lines that are gone", async () => {
    await using world = await World.open();
    await world.happen(3);
    await world.exportAll();
    await edit(world.path(LOG), (text) => text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1));
    await world.happen(1);
    await world.exportAll();
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 3 });
  });
});

describe("a head that was kept elsewhere", () => {
  it("finds that the log was cut back together with its checkpoints, or written anew with the server's own key", async () => {
    await using world = await World.open();
    await world.happen(2);
    await world.exportAll();
    const early = await Promise.all([world.read(LOG), world.read(CHECKPOINTS_FILE)]);
    await world.happen(2);
    await world.exportAll();
    const { head } = await world.verify();
    if (head === null) throw new Error("no head");
    expect(await world.verify([head])).toMatchObject({ problem: null });
    await writeFile(world.path(LOG), early[0]);
    await writeFile(world.path(CHECKPOINTS_FILE), early[1]);
    expect((await world.verify()).problem).toBeNull();
    expect((await world.verify([head])).problem).toMatchObject({
      message: expect.stringContaining("ends with event 2"),
    });

    await using forged = await World.open();
    await forged.happen(1);
    for (let more = 0; more < 3; more++) {
      await forged.catalog.commit(scanEvent({ actor: "forger" }));
    }
    await forged.exportAll();
    expect((await forged.verify()).problem).toBeNull();
    expect((await forged.verify([head])).problem).toMatchObject({
      message: expect.stringContaining("another line"),
    });
  });
});

type Files = ReadonlyMap<string, string>;

describe("whatever is done to an audit log", () => {
  it("is found: bytes, lines and files changed, removed, put in, repeated, swapped or cut off, 1,000 times", async () => {
    await using plain = await World.open();
    await plain.happen(4);
    await plain.exportAll({ batchSize: 2 });
    await using rotated = await World.open();
    await rotated.happen(9);
    await rotated.exportAll({ batchSize: 2, segmentBytes: TWO_LINES });
    await using restored = await World.open();
    await restored.happen(2);
    await restored.exportAll({ segmentBytes: TWO_LINES });
    await restored.withBackup(async () => {
      await restored.happen(3);
      await restored.exportAll({ batchSize: 1, segmentBytes: TWO_LINES });
    });
    await restored.catalog.commit(scanEvent({ actor: "else" }));
    await restored.exportAll();

    const worlds = [plain, rotated, restored];
    const logs = await Promise.all(worlds.map((world) => filesOf(world)));
    for (const world of worlds) expect(await world.verify()).toMatchObject({ problem: null });
    let found = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(worlds.length - 1), TAMPERING, async (which, tampering) => {
        const world = worlds[which] as World;
        const files = logs[which] as Files;
        const tampered = tamper(files, tampering);
        fc.pre(!isSame(files, tampered));
        await put(world, tampered, files);
        const { problem } = await world.verify();
        await put(world, files, tampered);
        expect(problem).not.toBeNull();
        found += 1;
      }),
      { numRuns: 1000 },
    );
    expect(found).toBe(1000);
    for (const world of worlds) expect(await world.verify()).toMatchObject({ problem: null });
  }, 60_000);
});

// Not fc.double, which is of all doubles alike: nearly every one of them is nearly 0.
const place = fc.nat(9_999).map((part) => part / 10_000);
const TAMPERING = fc.record({
  file: place,
  how: fc.constantFrom(
    "byte",
    "byte",
    "remove bytes",
    "insert bytes",
    "cut off",
    "remove a line",
    "repeat a line",
    "swap lines",
    "move a line",
    "line of another file",
    "remove the file",
    "swap files",
    "repeat the file",
    "empty the file",
  ),
  at: place,
  to: place,
  byte: fc.integer({ min: 0, max: 255 }),
});

type Tampering = typeof TAMPERING extends fc.Arbitrary<infer T> ? T : never;

function tamper(files: Files, { file, how, at, to, byte }: Tampering): Files {
  const names = [...files.keys()];
  const name = names[Math.floor(file * names.length)] as string;
  const other = names[Math.floor(to * names.length)] as string;
  const text = files.get(name) as string;
  const lines = text.match(/[^\n]*\n/g) ?? [];
  const offset = Math.floor(at * text.length);
  const [line, otherLine] = [Math.floor(at * lines.length), Math.floor(to * lines.length)];
  const result = new Map(files);
  const inLines = (change: (lines: string[]) => void) => {
    const changed = [...lines];
    change(changed);
    result.set(name, changed.join(""));
  };
  switch (how) {
    case "byte":
      result.set(name, text.slice(0, offset) + String.fromCharCode(byte) + text.slice(offset + 1));
      break;
    case "remove bytes":
      result.set(name, text.slice(0, offset) + text.slice(offset + 1 + Math.floor(to * 20)));
      break;
    case "insert bytes":
      result.set(name, text.slice(0, offset) + String.fromCharCode(byte) + text.slice(offset));
      break;
    case "cut off":
      result.set(name, text.slice(0, offset));
      break;
    case "remove a line":
      inLines((all) => all.splice(line, 1));
      break;
    case "repeat a line":
      inLines((all) => all.splice(otherLine, 0, all[line] as string));
      break;
    case "swap lines":
      inLines((all) => {
        [all[line], all[otherLine]] = [all[otherLine] as string, all[line] as string];
      });
      break;
    case "move a line":
      inLines((all) => all.splice(otherLine, 0, ...all.splice(line, 1)));
      break;
    case "line of another file":
      inLines((all) => all.splice(line, 0, (files.get(other) as string).split(/(?<=\n)/)[0] as string));
      break;
    case "remove the file":
      result.delete(name);
      break;
    case "swap files":
      result.set(name, files.get(other) as string).set(other, text);
      break;
    case "repeat the file":
      result.set("lifecycle_events.9.jsonl", text);
      break;
    case "empty the file":
      result.set(name, "");
      break;
  }
  return result;
}

async function filesOf(world: World): Promise<Files> {
  const names = [...(await world.segments()), CHECKPOINTS_FILE];
  return new Map(await Promise.all(names.map(async (name) => [name, await world.read(name)] as const)));
}

function isSame(a: Files, b: Files): boolean {
  return JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
}

/** Bytes, not characters: what is not ASCII here was put there as one byte. */
async function put(world: World, files: Files, instead: Files): Promise<void> {
  for (const name of new Set([...files.keys(), ...instead.keys()])) {
    const text = files.get(name);
    if (text === undefined) await rm(world.path(name));
    else if (text !== instead.get(name)) await writeFile(world.path(name), text, "latin1");
  }
}
