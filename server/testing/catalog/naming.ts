import { describe, expect, it } from "vitest";
import type { OpenForTest } from "./opened-catalog.ts";
import { move, purge, scanEvent, whole, write } from "./sample-changes.ts";

const NONE = { artifactCount: 0, totalBytes: 0 };

export function naming(open: OpenForTest) {
  describe("tenants, workflows and their usage", () => {
    it("is empty at first", async () => {
      await using opened = await open();
      const { catalog } = opened;
      expect(await catalog.listTenants(null, whole())).toEqual([]);
      expect(await catalog.listWorkflows("acme", whole())).toEqual([]);
      expect(await catalog.countTenants(null)).toBe(0);
      expect(await catalog.countWorkflows("acme")).toBe(0);
      expect(await catalog.held()).toEqual({ HOT: NONE, WARM: NONE, COLD: NONE });
      expect(await catalog.usageByTenants(["acme"])).toEqual([{ HOT: NONE, WARM: NONE, COLD: NONE }]);
      expect(await catalog.usageByTenants([])).toEqual([]);
      expect(await catalog.tenantsExist([])).toEqual([]);
    });

    it("creates a tenant and a workflow with their first artifact, and keeps them", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commitAll([
        write("b/x/1"),
        write("a/y/1"),
        write("a/x/1"),
        purge("a/x/1"),
        purge("b/x/1"),
      ]);
      expect(await catalog.listTenants(null, whole())).toEqual(["a", "b"]);
      expect(await catalog.listWorkflows("a", whole())).toEqual(["x", "y"]);
      expect(await catalog.countTenants(null)).toBe(2);
      expect(await catalog.countWorkflows("a")).toBe(2);
      expect(await catalog.tenantsExist(["z", "b", "a"])).toEqual([false, true, true]);
      const asked = ["y", "x", "z"].map((workflowId) => ({ tenantId: "a", workflowId }));
      expect(await catalog.workflowsExist(asked)).toEqual([true, true, false]);
      expect(await catalog.workflowsExist([{ tenantId: "z", workflowId: "x" }])).toEqual([false]);
    });

    it("does not create a name that only a refusal or the log mentioned", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commitAll([
        purge("ghost/w/a"),
        scanEvent({ tenantId: "ghost", workflowId: "w", artifactId: "a" }),
      ]);
      expect(await catalog.listEvents({ tenantId: "ghost" }, "ASC", whole())).toMatchObject([
        { workflowId: "w" },
      ]);
      expect(await catalog.tenantsExist(["ghost"])).toEqual([false]);
      expect(await catalog.listTenants(null, whole())).toEqual([]);
      expect(await catalog.listWorkflows("ghost", whole())).toEqual([]);
      await catalog.commit(write("ghost/w/a"));
      expect(await catalog.tenantsExist(["ghost"])).toEqual([true]);
      expect(await catalog.countTenants(null)).toBe(1);
      expect(await catalog.countWorkflows("ghost")).toBe(1);
    });

    it("pages through tenants, also of a tier, and workflows, in both directions", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const names = ["a", "b", "c", "d", "é", "🎼"];
      await catalog.commitAll(
        names.toReversed().flatMap((name) => [write(`${name}/w/1`), write(`t/${name}/1`)]),
      );
      await catalog.commitAll(["b", "d", "🎼"].map((name) => move(`${name}/w/1`, "COLD")));
      const window = { after: "b", before: "🎼", limit: 2, backward: false };
      expect(await catalog.listTenants(null, window)).toEqual(["c", "d"]);
      expect(await catalog.listTenants(null, { ...window, backward: true })).toEqual(["t", "é"]);
      expect(await catalog.listTenants("COLD", window)).toEqual(["d"]);
      expect(await catalog.listTenants("COLD", whole())).toEqual(["b", "d", "🎼"]);
      expect(await catalog.countTenants("COLD")).toBe(3);
      expect(await catalog.countTenants("WARM")).toBe(0);
      expect(await catalog.listWorkflows("t", window)).toEqual(["c", "d"]);
      expect(await catalog.listWorkflows("t", { ...window, backward: true })).toEqual(["d", "é"]);
      await catalog.commit(purge("b/w/1"));
      expect(await catalog.listTenants("COLD", whole())).toEqual(["d", "🎼"]);
      expect(await catalog.countTenants("COLD")).toBe(2);
    });

    it("counts artifacts and bytes by tier, in total, of tenants and of workflows, in the requested order", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commitAll([
        write("a/x/1", { text: "12" }),
        write("a/x/2", { text: "123", tier: "COLD" }),
        write("a/y/1", { text: "1234" }),
        write("b/x/1", { text: "12345" }),
        write("b/x/1", { text: "1", tier: "WARM" }),
        move("a/y/1", "COLD"),
      ]);
      const one = (artifactCount: number, totalBytes: number) => ({ artifactCount, totalBytes });
      expect(await catalog.held()).toEqual({ HOT: one(1, 2), WARM: one(1, 1), COLD: one(2, 7) });
      const a = { HOT: one(1, 2), WARM: NONE, COLD: one(2, 7) };
      const b = { HOT: NONE, WARM: one(1, 1), COLD: NONE };
      const absent = { HOT: NONE, WARM: NONE, COLD: NONE };
      expect(await catalog.usageByTenants(["b", "absent", "a", "b"])).toEqual([b, absent, a, b]);
      const x = { HOT: one(1, 2), WARM: NONE, COLD: one(1, 3) };
      expect(
        await catalog.usageByWorkflows([
          { tenantId: "b", workflowId: "x" },
          { tenantId: "a", workflowId: "x" },
          { tenantId: "b", workflowId: "y" },
        ]),
      ).toEqual([b, x, absent]);
      expect(await catalog.countArtifacts({})).toBe(4);
      expect(await catalog.countArtifacts({ tenantId: "a", tiers: ["COLD"] })).toBe(2);
      expect(await catalog.countArtifacts({ tenantId: "a", workflowId: "x", tiers: ["COLD", "HOT"] })).toBe(
        2,
      );
      expect(await catalog.countArtifacts({ tenantId: "absent" })).toBe(0);
    });
  });
}
