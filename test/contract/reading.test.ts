import { describe, expect, it } from "vitest";
import { ask, codesOf, dataOf, daysAfter, newTenant, refusalOf, sha256 } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();
const MIB = 1024 * 1024;

async function written(artifactId = "a.txt", text = "hello") {
  const key = { tenantId: newTenant(), workflowId: "weekly", artifactId };
  return { key, artifact: (await shared.tierkeep.writeArtifact({ ...key, content: { text } })).artifact };
}

describe("artifact", () => {
  it("is null for a missing key", async () => {
    const key = { tenantId: newTenant(), workflowId: "weekly", artifactId: "a.txt" };
    expect(await shared.tierkeep.artifact(key)).toBeNull();
    expect(await shared.tierkeep.artifactContent(key)).toBeNull();
  });

  it("is found in every tier", async () => {
    const { key } = await written();
    for (const toTier of ["WARM", "COLD", "HOT"] as const) {
      await shared.tierkeep.promoteArtifact({ ...key, toTier });
      expect((await shared.tierkeep.artifact(key))?.tier).toBe(toTier);
    }
  });

  it("links to its tenant and its workflow, which link back to it", async () => {
    const { key, artifact } = await written();
    const query = `query ($tenantId: String!, $workflowId: String!, $artifactId: String!) {
      artifact(tenantId: $tenantId, workflowId: $workflowId, artifactId: $artifactId) {
        tenant { tenantId id workflow(workflowId: $workflowId) { id } artifacts { nodes { id } } }
        workflow { workflowId id tenant { tenantId } artifacts { nodes { id } } }
      }
    }`;
    const data = await dataOf<{ artifact: { workflow: { id: string } } }>(shared.server, query, key);
    expect(data.artifact).toEqual({
      tenant: {
        tenantId: key.tenantId,
        id: expect.any(String),
        workflow: { id: data.artifact.workflow.id },
        artifacts: { nodes: [{ id: artifact.id }] },
      },
      workflow: {
        workflowId: "weekly",
        id: expect.any(String),
        tenant: { tenantId: key.tenantId },
        artifacts: { nodes: [{ id: artifact.id }] },
      },
    });
  });

  it("has an age in days at any time, never below zero", async () => {
    const { key, artifact } = await written();
    const query = `query ($tenantId: String!, $workflowId: String!, $artifactId: String!, $later: DateTime!, $earlier: DateTime!) {
      artifact(tenantId: $tenantId, workflowId: $workflowId, artifactId: $artifactId) {
        now: ageDays  later: ageDays(asOf: $later)  earlier: ageDays(asOf: $earlier)
      }
    }`;
    const { artifact: ages } = await dataOf<{ artifact: { now: number; later: number; earlier: number } }>(
      shared.server,
      query,
      { ...key, later: daysAfter(artifact.ageSince, 3.5), earlier: daysAfter(artifact.ageSince, -1) },
    );
    expect(ages.later).toBe(3.5);
    expect(ages.earlier).toBe(0);
    expect(ages.now).toBeGreaterThanOrEqual(0);
    expect(ages.now).toBeLessThan(0.01);
  });

  it("accepts asOf with any offset, and refuses an invalid time", async () => {
    const { key } = await written();
    const query = `query ($tenantId: String!, $workflowId: String!, $artifactId: String!, $asOf: DateTime) {
      artifact(tenantId: $tenantId, workflowId: $workflowId, artifactId: $artifactId) { ageDays(asOf: $asOf) }
    }`;
    const utc = await dataOf(shared.server, query, { ...key, asOf: "2090-01-01T12:00:00.000Z" });
    expect(await dataOf(shared.server, query, { ...key, asOf: "2090-01-01T14:00:00+02:00" })).toEqual(utc);
    for (const asOf of ["2090-01-01", "2090-02-30T00:00:00Z", "soon", "", 12, "2090-01-01T12:00:00"]) {
      expect(await codesOf(shared.server, query, { ...key, asOf })).toEqual(["BAD_USER_INPUT"]);
    }
  });

  it("returns the next transition in each tier and its time", async () => {
    const { key, artifact } = await written();
    expect(artifact.nextTransition).toEqual({
      action: "PROMOTE_TO_WARM",
      at: daysAfter(artifact.ageSince, 7),
    });
    const warm = await shared.tierkeep.promoteArtifact({ ...key, toTier: "WARM" });
    expect(warm.artifact.nextTransition).toEqual({
      action: "PROMOTE_TO_COLD",
      at: daysAfter(artifact.ageSince, 30),
    });
    const cold = await shared.tierkeep.promoteArtifact({ ...key, toTier: "COLD" });
    expect(cold.artifact.nextTransition).toEqual({ action: "PURGE", at: daysAfter(artifact.ageSince, 90) });
  });
});

describe("content inline", () => {
  it("is available only as base64 if it is not valid UTF-8", async () => {
    const key = { tenantId: newTenant(), workflowId: "weekly", artifactId: "a.bin" };
    await shared.tierkeep.writeArtifact({ ...key, content: { base64: "/wD+" } });
    const artifact = await shared.tierkeep.artifactContent({ ...key, withText: true, withBase64: true });
    expect(artifact).toMatchObject({ text: null, base64: "/wD+" });
  });

  it("is null above 1 MiB, as text and as base64", async () => {
    const key = { tenantId: newTenant(), workflowId: "weekly", artifactId: "large.txt" };
    await shared.tierkeep.upload(key, "x".repeat(MIB + 1));
    expect(await shared.tierkeep.artifactContent({ ...key, withText: true, withBase64: true })).toMatchObject(
      { sizeBytes: MIB + 1, text: null, base64: null },
    );
  });

  it("is limited to 16 MiB per request, and more is refused with QUERY_TOO_COMPLEX", async () => {
    const key = { tenantId: newTenant(), workflowId: "weekly", artifactId: "mebibyte.txt" };
    await shared.tierkeep.upload(key, "x".repeat(MIB));
    const fields = (count: number) =>
      Array.from({ length: count }, (_, index) => `f${index}: ${index % 2 === 0 ? "text" : "base64"}`).join(
        " ",
      );
    const query = (count: number) => `query ($tenantId: String!, $workflowId: String!, $artifactId: String!) {
      artifact(tenantId: $tenantId, workflowId: $workflowId, artifactId: $artifactId) { sizeBytes ${fields(count)} }
    }`;
    const within = await dataOf<{ artifact: Record<string, string> }>(shared.server, query(16), key);
    expect(within.artifact.f15).toHaveLength((Math.ceil(MIB / 3) * 4) | 0);
    const over = await ask<{ artifact: Record<string, unknown> }>(shared.server, query(17), key);
    expect(over.errors.map(({ extensions }) => extensions.code)).toEqual(["QUERY_TOO_COMPLEX"]);
    expect(over.data?.artifact.sizeBytes).toBe(MIB);
  });

  it("is streamed from downloadUrl, which is relative to the endpoint", async () => {
    const { artifact } = await written("größe & maß (1).txt", "grüße");
    const response = await fetch(new URL(artifact.downloadUrl, shared.server.url));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("grüße");
    expect(response.headers.get("etag")).toBe(`"${sha256("grüße")}"`);
  });
});

describe("artifactsByKey", () => {
  it("returns artifacts in the order of the keys, with repetitions, and null for missing keys", async () => {
    const { key: one } = await written("1.txt");
    const { key: two } = await written("2.txt");
    const none = { ...one, artifactId: "none.txt" };
    const found = await shared.tierkeep.artifactsByKey({ keys: [two, none, one, two] });
    expect(found.map((artifact) => artifact?.artifactId ?? null)).toEqual(["2.txt", null, "1.txt", "2.txt"]);
  });

  it("accepts 500 keys and refuses 501", async () => {
    const { key } = await written();
    const found = await shared.tierkeep.artifactsByKey({ keys: Array.from({ length: 500 }, () => key) });
    expect(found).toHaveLength(500);
    expect(found.every((artifact) => artifact?.artifactId === key.artifactId)).toBe(true);
    const refusal = await refusalOf(
      shared.tierkeep.artifactsByKey({ keys: Array.from({ length: 501 }, () => key) }),
    );
    expect(refusal).toMatchObject({ code: "BAD_USER_INPUT", argument: "keys" });
  });

  it("refuses an empty list of keys with BAD_USER_INPUT", async () => {
    expect(await refusalOf(shared.tierkeep.artifactsByKey({ keys: [] }))).toMatchObject({
      code: "BAD_USER_INPUT",
      argument: "keys",
    });
  });

  it("refuses the complete request for one bad key, and names the key", async () => {
    const { key } = await written();
    const keys = [key, { ...key, workflowId: "a/b" }, key];
    expect(await refusalOf(shared.tierkeep.artifactsByKey({ keys }))).toMatchObject({
      code: "INVALID_IDENTIFIER",
      argument: "keys.1.workflowId",
    });
  });
});

describe("node and nodes", () => {
  async function everyKind() {
    const { key, artifact } = await written();
    const query = `query ($tenantId: String!, $workflowId: String!) {
      tenant(tenantId: $tenantId) { id workflow(workflowId: $workflowId) { id } }
      lifecycleEvents(where: { tenantId: $tenantId }) { nodes { id } }
    }`;
    const { tenant, lifecycleEvents } = await dataOf<{
      tenant: { id: string; workflow: { id: string } };
      lifecycleEvents: { nodes: { id: string }[] };
    }>(shared.server, query, { tenantId: key.tenantId, workflowId: key.workflowId });
    const run = await shared.tierkeep.runLifecycle({ dryRun: true, tenantId: key.tenantId });
    const restore = await shared.tierkeep.restoreArtifacts({ keys: [key] });
    return {
      Artifact: artifact.id,
      Tenant: tenant.id,
      Workflow: tenant.workflow.id,
      LifecycleEvent: lifecycleEvents.nodes[0]?.id ?? "",
      LifecycleJob: run.job.id,
      RestoreJob: restore.job.id,
    };
  }

  it("find a node of every type by its id", async () => {
    const ids = await everyKind();
    const query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    const { nodes } = await dataOf<{ nodes: unknown[] }>(shared.server, query, { ids: Object.values(ids) });
    expect(nodes).toEqual(Object.entries(ids).map(([__typename, id]) => ({ __typename, id })));
    for (const [__typename, id] of Object.entries(ids)) {
      expect(await shared.tierkeep.node({ id })).toMatchObject({ __typename, id });
    }
    expect(new Set(Object.values(ids)).size).toBe(6);
  });

  it("return null for a malformed or foreign id, without an effect on other ids", async () => {
    const { artifact } = await written();
    const foreign = [
      "",
      "x",
      "!",
      "QXJ0aWZhY3Q6MQ==",
      Buffer.from("Artifact:a/b/c").toString("base64"),
      artifact.id.slice(0, -1),
      `${artifact.id}A`,
      `${artifact.id} `,
      "é".repeat(100),
      "\u0000",
      "9".repeat(5000),
      (await written()).artifact.artifactId,
    ];
    const nodes = await shared.tierkeep.nodes({
      ids: foreign.flatMap((id) => [id, artifact.id]),
    });
    expect(nodes.map((node) => node?.id ?? null)).toEqual(foreign.flatMap(() => [null, artifact.id]));
    for (const id of foreign) expect(await shared.tierkeep.node({ id })).toBeNull();
    expect(await shared.tierkeep.lifecycleJob({ id: artifact.id })).toBeNull();
  });

  it("refuse an id of no job with NOT_FOUND in a mutation", async () => {
    const { Artifact, Tenant, LifecycleEvent } = await everyKind();
    for (const id of ["", "x", Artifact, Tenant, LifecycleEvent]) {
      expect(await refusalOf(shared.tierkeep.cancelJob({ id }))).toMatchObject({ code: "NOT_FOUND" });
    }
  });

  it("do not return a restore job as a lifecycle job", async () => {
    const { RestoreJob, LifecycleJob } = await everyKind();
    expect(await shared.tierkeep.lifecycleJob({ id: RestoreJob })).toBeNull();
    expect(await shared.tierkeep.lifecycleJob({ id: LifecycleJob })).toMatchObject({ id: LifecycleJob });
    expect(await shared.tierkeep.job({ id: RestoreJob })).toMatchObject({ toTier: "HOT" });
  });
});

describe("viewer", () => {
  it("is the admin `local` without authentication", async () => {
    expect(await shared.tierkeep.viewer()).toEqual({ actor: "local", role: "ADMIN", tenants: null });
  });
});
