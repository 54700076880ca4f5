import { hash } from "node:crypto";
import { appendFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { scanEvent } from "../../testing/catalog/sample-changes.ts";
import { AuditStore, KEY, LOG, SECOND, THIRD } from "../../testing/stores/audit-store.ts";
import { TWO_LINES } from "../../testing/stores/sample-log.ts";
import { CHECKPOINTS_FILE } from "./log-names.ts";
import { newKeyPem, PublicKeys, signingKey } from "./signing-key.ts";
import { verifyLog } from "./verify.ts";

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(path, "utf8");
  const changed = change(text);
  if (changed === text) throw new Error("the edit changes nothing");
  await writeFile(path, changed);
}

describe("verifyLog with an unchanged log", () => {
  it("accepts it and returns the head to keep", async () => {
    await using world = await AuditStore.open();
    await world.happen(5);
    await world.exportAll({ batchSize: 2 });
    const verdict = await world.verify();
    expect(verdict).toMatchObject({ problem: null, lines: 5, unchainedLines: 0, files: 1, gaps: [] });
    expect(verdict.head).toMatchObject({ seq: 5, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    // One for the start of the log, and one per batch.
    expect(verdict.checkpoints).toBe(4);
  });

  it("accepts an empty log", async () => {
    await using world = await AuditStore.open();
    await world.exporter().purgeRefusal();
    expect(await world.verify()).toMatchObject({ problem: null, lines: 0, head: null });
  });

  it("follows one chain across files, each started when the previous one is full", async () => {
    await using world = await AuditStore.open();
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

  it("accepts a log without its first archived files, given the head before the remaining ones", async () => {
    await using world = await AuditStore.open();
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

  it("rejects a log with a compressed file, naming the file and what to do", async () => {
    await using world = await AuditStore.open();
    for (const count of [2, 2, 1]) {
      await world.happen(count);
      await world.exportAll({ segmentBytes: TWO_LINES });
    }
    await writeFile(world.path(`${SECOND}.gz`), gzipSync(await readFile(world.path(SECOND))));
    await rm(world.path(SECOND));
    const { problem, foreign } = await world.verify();
    expect(problem?.message).toMatch(/lifecycle_events\.2\.jsonl\.gz is compressed: decompress it/);
    expect(foreign).toEqual([`${SECOND}.gz`]);
    await writeFile(world.path(SECOND), gunzipSync(await readFile(world.path(`${SECOND}.gz`))));
    expect(await world.verify()).toMatchObject({ problem: null, lines: 5 });
  });

  it("accepts files that another program has rotated, as long as all of them exist", async () => {
    await using world = await AuditStore.open();
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

  it("accepts lines from before lines were chained, and reports their number", async () => {
    await using world = await AuditStore.open();
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

  it("accepts checkpoints that were started again; the chain still proves the complete log", async () => {
    await using world = await AuditStore.open();
    await world.happen(3);
    await world.exportAll({ batchSize: 1, segmentBytes: TWO_LINES });
    await rm(world.path(CHECKPOINTS_FILE));
    await world.happen(1);
    await world.exportAll({ segmentBytes: TWO_LINES });
    expect(await world.verify()).toMatchObject({ problem: null, lines: 4, files: 2 });
    await edit(world.path(LOG), (text) => text.replace("system", "changed"));
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 1 });
  });

  it("accepts the keys that the server has used one after another", async () => {
    await using world = await AuditStore.open();
    const second = signingKey(newKeyPem());
    await world.happen(1);
    await world.exportAll();
    await world.happen(1);
    await world.exportAll({ key: second });
    const published = await world.read("lifecycle_events.public-key.pem");
    expect(new PublicKeys(published).ids).toEqual([KEY.id, second.id]);
    const verify = (text: string) =>
      verifyLog({ directory: world.logs, keys: new PublicKeys(text), waitTimeoutMs: 0 });
    expect(await verify(published)).toMatchObject({ problem: null, lines: 2 });
    expect((await verify(KEY.publicPem)).problem).toMatchObject({
      file: CHECKPOINTS_FILE,
      message: expect.stringContaining(second.id),
    });
  });
});

describe("a gap", () => {
  it("is signed after the catalog was restored from a backup, and lines logged since the backup stay proved", async () => {
    await using world = await AuditStore.open();
    await world.happen(2);
    await world.exportAll();
    await world.withBackup(async () => {
      await world.happen(3);
      await world.exportAll();
    });
    await world.catalog.commit(scanEvent({ actor: "another" }));
    await world.exportAll();
    expect(await world.verify()).toMatchObject({
      problem: null,
      lines: 6,
      gaps: [{ file: SECOND, seq: 2, reason: "ahead" }],
    });
    await edit(world.path(LOG), (text) => text.replace(/system(?=[^\n]*\n$)/, "changed"));
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 5 });
  });

  it("is signed when a rebuilt catalog starts its log again", async () => {
    await using world = await AuditStore.open();
    await using rebuilt = await AuditStore.open();
    await world.happen(2);
    await world.exportAll();
    await rebuilt.happen(1);
    await rebuilt.catalog.commit(scanEvent({ actor: "another" }));
    const exporter = rebuilt.exporter({ directory: world.logs });
    await exporter.flush();
    expect(await world.verify()).toMatchObject({
      problem: null,
      lines: 4,
      gaps: [{ file: SECOND, seq: 0, reason: "unknown" }],
    });
  });

  it("does not excuse bytes that another program added to the log, and is the only finding once they are removed", async () => {
    await using world = await AuditStore.open();
    await world.happen(2);
    await world.exportAll();
    const text = await world.read(LOG);
    await appendFile(world.path(LOG), "a foreign line\n");
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 3 });
    await world.happen(1);
    await world.exportAll();
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 3 });
    await writeFile(world.path(LOG), text);
    expect(await world.verify()).toMatchObject({ problem: null, gaps: [{ file: SECOND, reason: "ahead" }] });
  });

  it("does not excuse missing lines", async () => {
    await using world = await AuditStore.open();
    await world.happen(3);
    await world.exportAll();
    await edit(world.path(LOG), (text) => text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1));
    await world.happen(1);
    await world.exportAll();
    expect((await world.verify()).problem).toMatchObject({ file: LOG, line: 3 });
  });
});

describe("a head that was kept elsewhere", () => {
  it("shows that the log was truncated together with its checkpoints, or rewritten with the server's own key", async () => {
    await using world = await AuditStore.open();
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

    await using forged = await AuditStore.open();
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
