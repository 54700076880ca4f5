import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { describe, expect, it } from "vitest";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  checksumOf,
  eventTypes,
  key,
  move,
  NOW,
  newObject,
  purge,
  whole,
  write,
  writeStaged,
} from "./sample-changes.ts";

export function writing(open: OpenForTest) {
  describe("writing", () => {
    it("returns null for a missing artifact", async () => {
      await using opened = await open();
      const { catalog } = opened;
      expect(await catalog.artifact(key("acme/daily/report"))).toBeNull();
      expect(await catalog.content(key("acme/daily/report"))).toBeNull();
      await catalog.commit(write("acme/daily/other"));
      expect(await catalog.artifacts([key("acme/daily/report"), key("acme/daily/other")])).toMatchObject([
        null,
        { artifactId: "other" },
      ]);
      expect(await catalog.artifacts([])).toEqual([]);
    });

    it("creates an artifact whose age starts with its write", async () => {
      await using opened = await open();
      const change = write("acme/daily/report", { tier: "WARM", metadata: { pages: 3 } });
      const { artifact, created } = await opened.catalog.commit(change);
      expect(created).toBe(true);
      expect(artifact).toMatchObject({
        ...key("acme/daily/report"),
        tier: "WARM",
        sizeBytes: change.sizeBytes,
        checksum: change.checksum,
        contentType: "text/plain",
        metadata: { pages: 3 },
        createdAt: NOW,
        modifiedAt: NOW,
        ageSince: NOW,
        promotedAt: null,
        promotedFrom: null,
        object: change.object,
        store: "files",
        inline: true,
      });
      expect(await opened.catalog.artifact(artifact)).toEqual(artifact);
      expect(await opened.catalog.content(artifact)).toEqual({ row: artifact, bytes: change.bytes });
    });

    it("replaces content, type and metadata completely, keeps createdAt, and resets moves", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commit(write("acme/daily/report", { metadata: { draft: true, pages: 1 } }));
      const before = await catalog.commit(move("acme/daily/report", "COLD"));
      const at = NOW + 5 * DAY_MS;
      const second = write("acme/daily/report", {
        text: "second",
        metadata: { pages: 2 },
        contentType: "text/html",
        at,
      });
      const { artifact, created } = await catalog.commit(second);
      expect(created).toBe(false);
      expect(artifact).toMatchObject({
        tier: "HOT",
        checksum: checksumOf("second"),
        contentType: "text/html",
        metadata: { pages: 2 },
        createdAt: NOW,
        modifiedAt: at,
        ageSince: at,
        promotedAt: null,
        promotedFrom: null,
        row: before.artifact.row,
      });
      expect(artifact.version).toBeGreaterThan(before.artifact.version);
      expect(await catalog.content(artifact)).toEqual({ row: artifact, bytes: second.bytes });
      expect((await catalog.listEvents({}, "DESC", whole(1)))[0]).toMatchObject({
        type: "ARTIFACT_WRITTEN",
        seq: artifact.version,
        fromTier: "COLD",
        toTier: "HOT",
        ageDays: 5,
        checksum: checksumOf("second"),
        actor: "ann",
      });
    });

    it("never uses a version or a row twice, not even after a purge", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const first = await catalog.commit(write("acme/daily/report"));
      await catalog.commit(purge("acme/daily/report"));
      const again = await (await opened.reopen()).commit(write("acme/daily/report"));
      expect(again.created).toBe(true);
      expect(again.artifact.version).toBeGreaterThan(first.artifact.version);
      expect(again.artifact.row).toBeGreaterThan(first.artifact.row);
    });

    it("refuses ifAbsent where the key exists, and ifChecksum unless the content has it", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const facts = { checksum: checksumOf("first") };
      await expect(
        catalog.commit(write("acme/daily/a", { ifChecksum: checksumOf("x") })),
      ).rejects.toMatchObject({
        code: "PRECONDITION_FAILED",
      });
      await catalog.commit(write("acme/daily/a", { text: "first", ifAbsent: true }));
      await expect(catalog.commit(write("acme/daily/a", { ifAbsent: true }))).rejects.toMatchObject({
        code: "PRECONDITION_FAILED",
        facts,
      });
      await expect(
        catalog.commit(write("acme/daily/a", { ifChecksum: checksumOf("x") })),
      ).rejects.toMatchObject({
        code: "PRECONDITION_FAILED",
        facts,
      });
      await catalog.commit(write("acme/daily/a", { text: "second", ifChecksum: checksumOf("first") }));
      expect(await catalog.artifact(key("acme/daily/a"))).toMatchObject({ checksum: checksumOf("second") });
    });

    it("lets exactly one of two writers create a key, in one group or two", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) =>
          catalog.commit(write("acme/daily/a", { text: `${n}`, ifAbsent: true })),
        ),
      );
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(await eventTypes(catalog)).toEqual(["ARTIFACT_WRITTEN"]);
    });

    it("accepts a staged object once, from its owner, in its store", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const change = { ...write("acme/daily/a"), bytes: null };
      const { object, store, owner } = change;
      await expect(catalog.commit(change)).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await catalog.commit({ kind: "stage", object, store, owner, at: NOW });
      await expect(catalog.commit({ ...change, owner: "another" })).rejects.toMatchObject({
        code: "UNAVAILABLE",
      });
      await expect(catalog.commit({ ...change, store: "other" })).rejects.toMatchObject({
        code: "UNAVAILABLE",
      });
      expect(await catalog.commit(change)).toMatchObject({ artifact: { object, inline: false } });
      await expect(catalog.commit({ ...change, key: key("acme/daily/b") })).rejects.toMatchObject({
        code: "UNAVAILABLE",
      });
      expect(await catalog.content(key("acme/daily/a"))).toMatchObject({ bytes: null });
    });

    it("keeps names and metadata unchanged: non-ASCII, astral, empty, huge", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const metadata = { ключ: ["𝄞", null, 1.5, { nested: true }], long: "x".repeat(60_000) };
      await catalog.commit(write("größe/流程/🎼 é", { text: "", metadata }));
      const row = await catalog.artifact(key("größe/流程/🎼 é"));
      expect(row).toMatchObject({ ...key("größe/流程/🎼 é"), sizeBytes: 0, metadata });
      expect(await catalog.content(key("größe/流程/🎼 é"))).toMatchObject({ bytes: new Uint8Array(0) });
    });

    it("applies an array in order, each change completely or not at all, over as many groups as needed", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const changes = Array.from({ length: 300 }, (_, n) =>
        write(`acme/daily/a${n % 3}`, { text: `${n}`, ifAbsent: n < 6 }),
      );
      const outcomes = await catalog.commitAll(changes);
      expect(outcomes.map(({ ok }) => ok)).toEqual(changes.map((_, n) => n < 3 || n >= 6));
      expect(outcomes[3]).toMatchObject({ ok: false, refused: { code: "PRECONDITION_FAILED" } });
      expect(await catalog.artifact(key("acme/daily/a2"))).toMatchObject({ checksum: checksumOf("299") });
      expect(await catalog.lastSeq()).toBe(297);
      expect(await catalog.commitAll([])).toEqual([]);
    });

    it("keeps everything when it is opened again", async () => {
      await using opened = await open();
      const { epoch } = opened.catalog;
      const { artifact } = await writeStaged(opened.catalog, write("acme/daily/a"));
      const again = await opened.reopen();
      expect(again.epoch).toBe(epoch);
      expect(epoch).toMatch(/^[0-9a-f]{16}$/);
      expect(await again.artifact(artifact)).toEqual(artifact);
      expect((await again.commit(write("acme/daily/b"))).artifact.version).toBe(artifact.version + 1);
    });

    it("refuses with UNAVAILABLE once it is closed", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const last = catalog.commit(write("acme/daily/a"));
      await catalog.close();
      expect(await last).toMatchObject({ created: true });
      await expect(catalog.commit(write("acme/daily/b"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await expect(catalog.artifact(key("acme/daily/a"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await expect(catalog.countEvents({})).rejects.toMatchObject({ code: "UNAVAILABLE" });
      expect(await catalog.commitAll([{ kind: "collected", object: newObject() }])).toMatchObject([
        { ok: false, refused: { code: "UNAVAILABLE" } },
      ]);
    });
  });
}
