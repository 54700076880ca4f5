import { rm, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scanEvent } from "../catalog/contract/sample-changes.ts";
import { CHECKPOINTS_FILE } from "./log-names.ts";
import { World } from "./test-world.ts";

/** Less than three lines have, and more than one. */
const TWO_LINES = 600;

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
