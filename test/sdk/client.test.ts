import {
  createTierkeep,
  InvalidIdentifierError,
  type Tierkeep,
  type TierkeepOptions,
  UnavailableError,
} from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

/** Creates a client that loses its first response after the server has processed the request. */
function losingTheFirstAnswer(options: Partial<TierkeepOptions> = {}) {
  let requests = 0;
  const tierkeep = createTierkeep({
    url: shared.server.url,
    ...options,
    async fetch(url, init) {
      const response = await fetch(url, init);
      requests += 1;
      if (requests > 1) return response;
      await response.arrayBuffer();
      throw new TypeError("the connection was reset");
    },
  });
  return { tierkeep, requests: () => requests };
}

async function typesOfEvents(tenantId: string): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of shared.tierkeep.lifecycleEventHistory({ where: { tenantId } }))
    types.push(type);
  return types;
}

describe("lists", () => {
  it("iterate over all items in order for every page size", async () => {
    const tenantId = newTenant();
    const names = Array.from({ length: 12 }, (_, index) => `a${String(index).padStart(2, "0")}`);
    for (const artifactId of names) {
      await shared.tierkeep.upload({ tenantId, workflowId: "w", artifactId }, artifactId);
    }
    const args = { where: { tenantId }, orderBy: { field: "KEY", direction: "ASC" } } as const;
    for (const first of [1, 5, 12, 100, undefined]) {
      const seen: string[] = [];
      for await (const { artifactId } of shared.tierkeep.artifacts({ ...args, first })) seen.push(artifactId);
      expect(seen).toEqual(names);
    }
    const backwards: string[] = [];
    for await (const { artifactId } of shared.tierkeep.artifacts({ ...args, last: 5 }))
      backwards.push(artifactId);
    expect(backwards).toEqual([...names].reverse());
    const page = await shared.tierkeep.artifacts({ ...args, first: 5, withTotalCount: true });
    expect(page.nodes.map(({ artifactId }) => artifactId)).toEqual(names.slice(0, 5));
    expect(page.totalCount).toBe(12);
    await expect(shared.tierkeep.workflows({ tenantId: newTenant() })).resolves.toBeNull();
  });
});

describe("jobs", () => {
  it("can be awaited through the start of the job and through its id", async () => {
    const tenantId = newTenant();
    const key = { tenantId, workflowId: "w", artifactId: "a" };
    await shared.tierkeep.upload(key, "cold", { tier: "COLD" });
    const { job } = await shared.tierkeep.restoreArtifacts({
      where: { tenantId },
      toTier: "HOT",
      waitSeconds: 0,
    });
    const seen: string[] = [];
    const ended = await job.finished({ onProgress: ({ status }) => seen.push(status) });
    expect(ended).toMatchObject({ id: job.id, status: "SUCCEEDED", restoredCount: 1 });
    expect(seen.at(-1)).toBe("SUCCEEDED");
    const again = await shared.tierkeep.job({ id: job.id });
    if (again === null || !("finished" in again)) throw new Error("the job has no method");
    expect(await again.finished()).toMatchObject({ status: "SUCCEEDED" });
  });
});

describe("a change whose response is lost", () => {
  it("is retried by the client and is applied once", async () => {
    const tenantId = newTenant();
    const key = { tenantId, workflowId: "w", artifactId: "a" };
    const changes: [string, (tierkeep: Tierkeep) => Promise<unknown>, object][] = [
      [
        "ARTIFACT_WRITTEN",
        (it) => it.writeArtifact({ ...key, content: { text: "x" }, ifAbsent: true }),
        { created: true },
      ],
      ["ARTIFACT_PROMOTED", (it) => it.promoteArtifact({ ...key, toTier: "COLD" }), { fromTier: "HOT" }],
      ["ARTIFACT_RESTORED", (it) => it.restoreArtifact(key), { fromTier: "COLD" }],
      ["ARTIFACT_PURGED", (it) => it.purgeArtifact(key), { sizeBytes: 1 }],
      ["ARTIFACT_WRITTEN", (it) => it.upload(key, "new", { ifAbsent: true }), { created: true }],
    ];
    const expected: string[] = [];
    for (const [type, change, answer] of changes) {
      const { tierkeep, requests } = losingTheFirstAnswer();
      expect(await change(tierkeep)).toMatchObject(answer);
      expect(requests()).toBe(2);
      expected.unshift(type);
    }
    expect(await typesOfEvents(tenantId)).toEqual(expected);
  });

  it("can be retried by the caller with its own idempotency key", async () => {
    const tenantId = newTenant();
    const input = {
      tenantId,
      workflowId: "w",
      artifactId: "a",
      content: { text: "x" },
      idempotencyKey: "mine",
    };
    const { tierkeep } = losingTheFirstAnswer({ retries: 0 });
    await expect(tierkeep.writeArtifact(input)).rejects.toMatchObject({ name: "ConnectionError" });
    await expect(shared.tierkeep.writeArtifact(input)).resolves.toMatchObject({ created: true });
    expect(await typesOfEvents(tenantId)).toEqual(["ARTIFACT_WRITTEN"]);
  });
});

describe("a response", () => {
  it("with an enum value of a later version is returned unchanged", async () => {
    const later = createTierkeep({
      url: shared.server.url,
      async fetch(url, init) {
        const response = await fetch(url, init);
        return new Response((await response.text()).replaceAll('"HOT"', '"GLACIER"'), response);
      },
    });
    const [first] = await later.tierStats();
    expect(first?.tier).toBe("GLACIER");
  });

  it("with an error throws the class of its code, with its details and the request id", async () => {
    const bad = { tenantId: "..", workflowId: "w", artifactId: "a" };
    const error = await shared.tierkeep.artifact(bad).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(InvalidIdentifierError);
    expect(error).not.toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ code: "INVALID_IDENTIFIER", argument: "tenantId" });
    expect(error.requestId).toMatch(/./);
  });
});
