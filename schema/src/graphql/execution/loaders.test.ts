import { describe, expect, it } from "vitest";
import { ask } from "../testing/fake-request.ts";
import { anArtifact, anEvent, FAKE_NOW, fakeServices } from "../testing/fake-services.ts";

const DAY_MS = 86_400_000;

const hundred = Array.from({ length: 100 }, (_, index) =>
  anArtifact({
    tenantId: `t${index % 10}`,
    workflowId: `w${index % 20}`,
    artifactId: `a${index}`,
    version: index,
  }),
);

const countsOf = (services: { calls: readonly { method: string }[] }) => {
  const counts: Record<string, number> = {};
  for (const { method } of services.calls) counts[method] = (counts[method] ?? 0) + 1;
  return counts;
};

describe("a page of 100 artifacts", () => {
  it("with tenants, workflows, stats and policies calls each service once", async () => {
    const services = fakeServices({ artifacts: hundred });
    const { data, errors } = await ask(
      services,
      `{ artifacts(first: 100) { nodes {
        id ageDays nextTransition { action at }
        tenant { id tierStats { artifactCount } retentionPolicy { hotDays } }
        workflow { id tierStats { artifactCount } tenant { tierStats { totalBytes } } }
      } } }`,
    );
    expect(errors).toEqual([]);
    expect(data.artifacts.nodes).toHaveLength(100);
    expect(data.artifacts.nodes[0].tenant.tierStats[0].artifactCount).toBe(10);
    expect(countsOf(services)).toEqual({
      "artifacts.list": 1,
      "tenants.retentionPolicies": 1,
      "tenants.tierCountsOfTenants": 1,
      "tenants.tierCountsOfWorkflows": 1,
    });
    expect(services.calls.find(({ method }) => method === "tenants.retentionPolicies")?.args).toEqual([
      Array.from({ length: 10 }, (_, index) => `t${index}`),
    ]);
  });

  it("counts its list only if totalCount is selected", async () => {
    let counted = 0;
    const services = fakeServices({
      overrides: {
        artifacts: {
          list: async () => ({
            edges: [],
            hasNextPage: false,
            hasPreviousPage: false,
            totalCount: async () => ++counted,
          }),
        },
      },
    });
    await ask(services, "{ artifacts { nodes { id } pageInfo { endCursor } } }");
    expect(counted).toBe(0);
    const { data } = await ask(services, "{ artifacts { totalCount } }");
    expect(data.artifacts.totalCount).toBe(1);
  });
});

describe("reads of one request", () => {
  it("by key are batched into one call, across fields", async () => {
    const services = fakeServices({
      artifacts: hundred,
      events: [anEvent({ tenantId: "t1", workflowId: "w1", artifactId: "a1" })],
    });
    const { data } = await ask(
      services,
      `query Q($keys: [ArtifactKeyInput!]!) {
        one: artifact(tenantId: "t0", workflowId: "w0", artifactId: "a0") { artifactId }
        same: artifact(tenantId: "t0", workflowId: "w0", artifactId: "a0") { artifactId }
        many: artifactsByKey(keys: $keys) { artifactId }
      }`,
      {
        keys: [
          { tenantId: "t2", workflowId: "w2", artifactId: "a2" },
          { tenantId: "t0", workflowId: "w0", artifactId: "gone" },
        ],
      },
    );
    expect(data).toEqual({
      one: { artifactId: "a0" },
      same: { artifactId: "a0" },
      many: [{ artifactId: "a2" }, null],
    });
    expect(countsOf(services)).toEqual({ "artifacts.getMany": 1 });
  });

  it("for events find the artifacts that still exist", async () => {
    const events = [
      anEvent({ tenantId: "t1", workflowId: "w1", artifactId: "a1" }),
      anEvent({ tenantId: "t1", workflowId: "w1", artifactId: "gone" }),
      anEvent({ type: "LIFECYCLE_JOB_STARTED", tenantId: null, workflowId: null, artifactId: null }),
    ];
    const services = fakeServices({ artifacts: hundred, events });
    const { data } = await ask(services, "{ lifecycleEvents { nodes { artifact { artifactId } } } }");
    expect(data.lifecycleEvents.nodes).toEqual([
      { artifact: { artifactId: "a1" } },
      { artifact: null },
      { artifact: null },
    ]);
    expect(countsOf(services)).toEqual({ "events.list": 1, "artifacts.getMany": 1 });
  });

  it("are cleared by every change, so that its result shows the new state", async () => {
    const services = fakeServices({ artifacts: hundred });
    const input = '{ tenantId: "acme", workflowId: "wf", artifactId: "a", content: { text: "" } }';
    const selection = "{ artifact { tenant { tierStats { artifactCount } } } }";
    await ask(
      services,
      `mutation { a: writeArtifact(input: ${input}) ${selection} b: writeArtifact(input: ${input}) ${selection} }`,
    );
    expect(services.calls.map(({ method }) => method)).toEqual([
      "artifacts.write",
      "tenants.tierCountsOfTenants",
      "artifacts.write",
      "tenants.tierCountsOfTenants",
    ]);
  });
});

describe("tenants and workflows", () => {
  it("are null unless the service reports them as existing", async () => {
    const services = fakeServices({ artifacts: hundred });
    const { data } = await ask(
      services,
      '{ a: tenant(tenantId: "t1") { workflow(workflowId: "w1") { workflowId } none: workflow(workflowId: "w2") { id } } b: tenant(tenantId: "missing") { id } }',
    );
    expect(data).toEqual({ a: { workflow: { workflowId: "w1" }, none: null }, b: null });
    expect(countsOf(services)).toEqual({ "tenants.exist": 1, "tenants.workflowsExist": 1 });
  });

  it("have stats in the order HOT, WARM, COLD, for one tenant and for all", async () => {
    const services = fakeServices({ artifacts: hundred });
    const { data } = await ask(
      services,
      '{ all: tierStats { tier artifactCount tenants { nodes { tenantId } totalCount } } one: tierStats(tenantId: "t1") { tier artifactCount tenantCount tenants { nodes { tenantId } totalCount } } }',
    );
    expect(data.all.map((stats: { tier: string }) => stats.tier)).toEqual(["HOT", "WARM", "COLD"]);
    expect(data.all[0].tenants.totalCount).toBe(10);
    expect(data.one[0]).toEqual({
      tier: "HOT",
      artifactCount: 10,
      tenantCount: 1,
      tenants: { nodes: [{ tenantId: "t1" }], totalCount: 1 },
    });
    expect(data.one[2].tenants).toEqual({ nodes: [], totalCount: 0 });
  });
});

describe("ages and transitions", () => {
  it("are computed at the server's current time, or at `asOf`", async () => {
    const artifact = anArtifact({ ageSince: FAKE_NOW - 3 * DAY_MS });
    const { data } = await ask(
      fakeServices({ artifacts: [artifact] }),
      '{ artifacts { nodes { ageDays asOf: ageDays(asOf: "2026-11-22T12:00:00Z") before: ageDays(asOf: "2020-01-01T00:00:00Z") nextTransition { action at } } } }',
    );
    expect(data.artifacts.nodes).toEqual([
      {
        ageDays: 3,
        asOf: 1,
        before: 0,
        nextTransition: { action: "PROMOTE_TO_WARM", at: "2026-11-28T12:00:00.000Z" },
      },
    ]);
  });

  it("are null if the policy has no threshold, or the instant exceeds a DateTime", async () => {
    const policy = { hotDays: 1e9, warmDays: 2e9, coldDays: null };
    const services = fakeServices({
      artifacts: [anArtifact(), anArtifact({ tier: "COLD" })],
      overrides: { tenants: { retentionPolicies: async (_principal, tenants) => tenants.map(() => policy) } },
    });
    const { data, errors } = await ask(services, "{ artifacts { nodes { nextTransition { at } } } }");
    expect(errors).toEqual([]);
    expect(data.artifacts.nodes).toEqual([{ nextTransition: null }, { nextTransition: null }]);
  });
});

describe("inline content", () => {
  const MIB = 1024 * 1024;
  const megabytes = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      anArtifact({ artifactId: `a${index}`, sizeBytes: MIB, version: index }),
    );

  it("is read once for text and base64", async () => {
    const services = fakeServices({ artifacts: [anArtifact()] });
    const { data } = await ask(services, "{ artifacts { nodes { text base64 again: text } } }");
    expect(data.artifacts.nodes).toEqual([{ text: "aaaaa", base64: "YWFhYWE=", again: "aaaaa" }]);
    expect(countsOf(services)["artifacts.bytes"]).toBe(1);
  });

  it("is null over the server's limit, and is not read", async () => {
    const services = fakeServices({ artifacts: [anArtifact({ sizeBytes: MIB + 1 })] });
    const { data, errors } = await ask(services, "{ artifacts { nodes { text base64 } } }");
    expect([data.artifacts.nodes, errors]).toEqual([[{ text: null, base64: null }], []]);
    expect(countsOf(services)["artifacts.bytes"]).toBeUndefined();
  });

  it("is null as text if it is not UTF-8, and keeps a byte order mark", async () => {
    const contents = [Uint8Array.of(0xff), Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)];
    const services = fakeServices({
      artifacts: contents.map((bytes, version) => anArtifact({ sizeBytes: bytes.length, version })),
      overrides: { artifacts: { bytes: async (_principal, { version }) => contents[version] ?? null } },
    });
    const { data } = await ask(services, "{ artifacts { nodes { text base64 } } }");
    expect(data.artifacts.nodes).toEqual([
      { text: null, base64: "/w==" },
      { text: "\ufeffa", base64: "77u/YQ==" },
    ]);
  });

  it("is limited to 16 MiB in one request", async () => {
    const fits = await ask(fakeServices({ artifacts: megabytes(16) }), "{ artifacts { nodes { base64 } } }");
    expect(fits.errors).toEqual([]);
    const services = fakeServices({ artifacts: megabytes(17) });
    const { data, errors } = await ask(services, "{ artifacts { nodes { text } } }");
    expect(errors.map(({ extensions, path }) => [extensions.code, path])).toEqual([
      ["QUERY_TOO_COMPLEX", ["artifacts", "nodes", 16, "text"]],
    ]);
    expect(data.artifacts.nodes[16]).toEqual({ text: null });
    expect(countsOf(services)["artifacts.bytes"]).toBe(16);
    // The same bytes under two aliases count twice.
    const twice = await ask(
      fakeServices({ artifacts: megabytes(9) }),
      "{ artifacts { nodes { text again: text } } }",
    );
    expect(twice.errors.map(({ extensions }) => extensions.code)).toEqual([
      "QUERY_TOO_COMPLEX",
      "QUERY_TOO_COMPLEX",
    ]);
  });

  it("is a CONFLICT if another version replaced it during the request", async () => {
    const services = fakeServices({
      artifacts: [anArtifact()],
      overrides: { artifacts: { bytes: async () => null } },
    });
    const { data, errors } = await ask(services, "{ artifacts { nodes { text } } }");
    expect(data.artifacts.nodes).toEqual([{ text: null }]);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(["CONFLICT"]);
  });
});

describe("downloadUrl", () => {
  it("resolves against the endpoint, also for names with special characters", async () => {
    const artifact = anArtifact({ workflowId: "50% #1", artifactId: "é & b.txt" });
    const { data } = await ask(
      fakeServices({ artifacts: [artifact] }),
      "{ artifacts { nodes { downloadUrl } } }",
    );
    const url = new URL(data.artifacts.nodes[0].downloadUrl, "http://localhost:4000/graphql");
    expect(url.href).toBe("http://localhost:4000/artifacts/acme/50%25%20%231/%C3%A9%20%26%20b.txt");
  });
});
