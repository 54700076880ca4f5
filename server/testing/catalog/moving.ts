import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { describe, expect, it } from "vitest";
import type { MoveChange, PurgeChange } from "../../src/catalog/artifact-changes.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { all, checksumOf, eventTypes, key, move, NOW, purge, whole, write } from "./sample-changes.ts";

export function moving(open: OpenForTest) {
  describe("moving and purging", () => {
    it("keeps the age on a move to a colder tier, and resets it on a move to a hotter one", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commit(write("acme/daily/a"));
      const day = (days: number) => NOW + days * DAY_MS;
      const cold = await catalog.commit(move("acme/daily/a", "COLD", { at: day(3) }));
      expect(cold).toMatchObject({
        fromTier: "HOT",
        toTier: "COLD",
        artifact: { tier: "COLD", ageSince: NOW, promotedAt: day(3), promotedFrom: "HOT", modifiedAt: NOW },
      });
      const warm = await catalog.commit(move("acme/daily/a", "WARM", { as: "restore", at: day(9) }));
      expect(warm.artifact).toMatchObject({
        tier: "WARM",
        ageSince: day(9),
        promotedAt: day(9),
        promotedFrom: "COLD",
      });
      const hot = await catalog.commit(move("acme/daily/a", "HOT", { at: day(10) }));
      expect(hot.artifact).toMatchObject({ tier: "HOT", ageSince: day(10), modifiedAt: NOW });
      expect(await catalog.artifact(key("acme/daily/a"))).toEqual(hot.artifact);
      const events = await catalog.listEvents({}, "ASC", whole());
      expect(events.map(({ type, fromTier, toTier, ageDays }) => [type, fromTier, toTier, ageDays])).toEqual([
        ["ARTIFACT_WRITTEN", null, "HOT", null],
        ["ARTIFACT_PROMOTED", "HOT", "COLD", 3],
        ["ARTIFACT_RESTORED", "COLD", "WARM", 9],
        ["ARTIFACT_PROMOTED", "WARM", "HOT", 1],
      ]);
      expect(hot.artifact.version).toBe(4);
    });

    it("never increases an age or makes it negative when the clock is set back", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commit(write("acme/daily/a", { tier: "WARM" }));
      const { artifact } = await catalog.commit(move("acme/daily/a", "HOT", { at: NOW - DAY_MS }));
      expect(artifact).toMatchObject({ ageSince: NOW, promotedAt: NOW - DAY_MS });
      await catalog.commit(write("acme/daily/a", { at: NOW - 2 * DAY_MS }));
      const ages = (await catalog.listEvents({}, "ASC", whole())).map(({ ageDays }) => ageDays);
      expect(ages).toEqual([null, 0, 0]);
    });

    it("refuses a move to the same tier, a restore to a colder tier, a wrong tier, a wrong checksum and a missing artifact", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commit(write("acme/daily/a", { text: "a", tier: "WARM" }));
      const refused = async (change: MoveChange | PurgeChange, refusal: object) => {
        await expect(catalog.commit(change)).rejects.toMatchObject(refusal);
      };
      const facts = { tier: "WARM" };
      await refused(move("acme/daily/a", "WARM"), { code: "SAME_TIER", facts });
      await refused(move("acme/daily/a", "WARM", { as: "restore" }), { code: "SAME_TIER", facts });
      await refused(move("acme/daily/a", "COLD", { as: "restore" }), { code: "BAD_USER_INPUT" });
      await refused(move("acme/daily/a", "HOT", { fromTier: "COLD" }), { code: "ARTIFACT_NOT_FOUND", facts });
      await refused(purge("acme/daily/a", { fromTier: "HOT" }), { code: "ARTIFACT_NOT_FOUND", facts });
      const there = { checksum: checksumOf("a") };
      const ifChecksum = checksumOf("b");
      await refused(move("acme/daily/a", "HOT", { ifChecksum }), {
        code: "PRECONDITION_FAILED",
        facts: there,
      });
      await refused(purge("acme/daily/a", { ifChecksum }), { code: "PRECONDITION_FAILED", facts: there });
      await refused(move("acme/daily/b", "HOT"), { code: "ARTIFACT_NOT_FOUND" });
      await refused(purge("acme/daily/b"), { code: "ARTIFACT_NOT_FOUND" });
      expect(await eventTypes(catalog)).toEqual(["ARTIFACT_WRITTEN"]);
    });

    it("deletes an artifact with its event, and keeps the tenant", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const written = write("acme/daily/a", { at: NOW - 2 * DAY_MS });
      await catalog.commit(written);
      const purged = await catalog.commit(
        purge("acme/daily/a", { fromTier: "HOT", ifChecksum: written.checksum }),
      );
      expect(purged).toEqual({ fromTier: "HOT", sizeBytes: written.sizeBytes });
      expect(await catalog.artifact(key("acme/daily/a"))).toBeNull();
      expect(await all(catalog)).toEqual([]);
      expect(await catalog.tenantsExist(["acme"])).toEqual([true]);
      expect((await catalog.listEvents({}, "DESC", whole(1)))[0]).toMatchObject({
        type: "ARTIFACT_PURGED",
        fromTier: "HOT",
        toTier: null,
        ageDays: 2,
        sizeBytes: written.sizeBytes,
        checksum: written.checksum,
        dryRun: false,
      });
    });

    it("only writes one event, marked as dry, for a dry promote, restore or purge", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const { artifact } = await catalog.commit(write("acme/daily/a", { tier: "WARM" }));
      const dryRun = true;
      expect(await catalog.commit(move("acme/daily/a", "COLD", { dryRun }))).toEqual({
        artifact,
        fromTier: "WARM",
        toTier: "COLD",
      });
      await catalog.commit(move("acme/daily/a", "HOT", { as: "restore", dryRun }));
      expect(await catalog.commit(purge("acme/daily/a", { dryRun }))).toMatchObject({ fromTier: "WARM" });
      await expect(catalog.commit(purge("acme/daily/b", { dryRun }))).rejects.toMatchObject({
        code: "ARTIFACT_NOT_FOUND",
      });
      expect(await all(catalog)).toEqual([artifact]);
      expect(await catalog.garbage("files", NOW, 10)).toEqual([]);
      const flagged = await catalog.listEvents({ dryRun: true }, "ASC", whole());
      expect(flagged.map(({ type }) => type)).toEqual([
        "ARTIFACT_PROMOTED",
        "ARTIFACT_RESTORED",
        "ARTIFACT_PURGED",
      ]);
      expect(await catalog.lastSeq()).toBe(4);
    });
  });
}
