import { describe, expect, it } from "vitest";
import { ask } from "../testing/fake-request.ts";
import { anArtifact, FAKE_NOW, fakeServices } from "../testing/fake-services.ts";
import { jobGlobalId } from "../types/global-ids.ts";

const key = { tenantId: "acme", workflowId: "wf", artifactId: "a.txt" };
const stored = { artifacts: [anArtifact()] };

const documents = {
  artifact:
    "query Q($t: String!, $w: String!, $a: String!) { artifact(tenantId: $t, workflowId: $w, artifactId: $a) { id } }",
  artifactsByKey: "query Q($keys: [ArtifactKeyInput!]!) { artifactsByKey(keys: $keys) { id } }",
  artifacts:
    "query Q($where: ArtifactFilter, $first: Int, $last: Int) { artifacts(where: $where, first: $first, last: $last) { nodes { id } } }",
  tenantArtifacts:
    'query Q($where: ArtifactFilter) { tenant(tenantId: "acme") { artifacts(where: $where) { nodes { id } } } }',
  workflowArtifacts:
    'query Q($where: ArtifactFilter) { tenant(tenantId: "acme") { workflow(workflowId: "wf") { artifacts(where: $where) { nodes { id } } } } }',
  tenant: "query Q($t: String!) { tenant(tenantId: $t) { id } }",
  workflow: 'query Q($w: String!) { tenant(tenantId: "acme") { workflow(workflowId: $w) { id } } }',
  tierStats: "query Q($t: String) { tierStats(tenantId: $t) { tier } }",
  retentionPolicy: "query Q($t: String) { retentionPolicy(tenantId: $t) { hotDays } }",
  events:
    "query Q($where: LifecycleEventFilter, $first: Int) { lifecycleEvents(where: $where, first: $first) { nodes { id } } }",
  write: "mutation M($input: WriteArtifactInput!) { writeArtifact(input: $input) { created } }",
  promote: "mutation M($input: PromoteArtifactInput!) { promoteArtifact(input: $input) { toTier } }",
  restore: "mutation M($input: RestoreArtifactInput!) { restoreArtifact(input: $input) { toTier } }",
  restoreMany:
    "mutation M($input: RestoreArtifactsInput!) { restoreArtifacts(input: $input) { job { id } } }",
  purge: "mutation M($input: PurgeArtifactInput!) { purgeArtifact(input: $input) { fromTier } }",
  run: "mutation M($input: RunLifecycleInput!) { runLifecycle(input: $input) { started } }",
  cancel: "mutation M($input: CancelJobInput!) { cancelJob(input: $input) { job { id } } }",
} as const;

type Refusal = readonly [
  document: keyof typeof documents,
  variables: Record<string, unknown>,
  code: string,
  argument: string,
];

const content = { text: "hello" };
const refusals: Refusal[] = [
  ["artifact", { t: ".", w: "wf", a: "a" }, "INVALID_IDENTIFIER", "tenantId"],
  ["artifact", { t: "t", w: "a/b", a: "a" }, "INVALID_IDENTIFIER", "workflowId"],
  ["artifact", { t: "t", w: "wf", a: "a.metadata.json" }, "INVALID_IDENTIFIER", "artifactId"],
  ["tenant", { t: ".." }, "INVALID_IDENTIFIER", "tenantId"],
  ["workflow", { w: "" }, "INVALID_IDENTIFIER", "workflowId"],
  ["tierStats", { t: "NUL" }, "INVALID_IDENTIFIER", "tenantId"],
  ["retentionPolicy", { t: "a\u0000" }, "INVALID_IDENTIFIER", "tenantId"],

  ["artifactsByKey", { keys: [] }, "BAD_USER_INPUT", "keys"],
  ["artifactsByKey", { keys: Array(501).fill(key) }, "BAD_USER_INPUT", "keys"],
  [
    "artifactsByKey",
    { keys: [key, key, { ...key, artifactId: "x//y" }] },
    "INVALID_IDENTIFIER",
    "keys.2.artifactId",
  ],

  ["artifacts", { where: { tenantId: "" } }, "INVALID_IDENTIFIER", "where.tenantId"],
  ["artifacts", { where: { workflowId: "a:b" } }, "INVALID_IDENTIFIER", "where.workflowId"],
  ["artifacts", { where: { tiers: [] } }, "BAD_USER_INPUT", "where.tiers"],
  ["artifacts", { where: { olderThanDays: -1 } }, "BAD_USER_INPUT", "where.olderThanDays"],
  ["artifacts", { where: { asOf: "2026-01-01T00:00:00Z" } }, "BAD_USER_INPUT", "where.asOf"],
  ["artifacts", { where: { artifactIdPrefix: "\ud800" } }, "BAD_USER_INPUT", "where.artifactIdPrefix"],
  ["artifacts", { where: { metadata: { _created_at: 1 } } }, "BAD_USER_INPUT", "where.metadata"],
  ["artifacts", { where: { metadata: { a: "x".repeat(65_536) } } }, "CONTENT_TOO_LARGE", "where.metadata"],
  ["artifacts", { first: 501 }, "BAD_USER_INPUT", "first"],
  ["artifacts", { last: -1 }, "BAD_USER_INPUT", "last"],
  ["artifacts", { first: 1, last: 1 }, "BAD_USER_INPUT", "last"],
  ["tenantArtifacts", { where: { tenantId: "other" } }, "BAD_USER_INPUT", "where.tenantId"],
  ["workflowArtifacts", { where: { tenantId: "other" } }, "BAD_USER_INPUT", "where.tenantId"],
  [
    "workflowArtifacts",
    { where: { tenantId: "acme", workflowId: "other" } },
    "BAD_USER_INPUT",
    "where.workflowId",
  ],

  ["events", { where: { tenantId: ".x" } }, "INVALID_IDENTIFIER", "where.tenantId"],
  ["events", { where: { workflowId: "x." } }, "INVALID_IDENTIFIER", "where.workflowId"],
  ["events", { where: { artifactId: " x" } }, "INVALID_IDENTIFIER", "where.artifactId"],
  ["events", { where: { types: [] } }, "BAD_USER_INPUT", "where.types"],
  ["events", { first: -1 }, "BAD_USER_INPUT", "first"],

  ["write", { input: { ...key, tenantId: ".", content } }, "INVALID_IDENTIFIER", "input.tenantId"],
  ["write", { input: { ...key, content, contentType: "text" } }, "BAD_USER_INPUT", "input.contentType"],
  [
    "write",
    { input: { ...key, content, contentType: "text/plain\r\nX: y" } },
    "BAD_USER_INPUT",
    "input.contentType",
  ],
  ["write", { input: { ...key, content, metadata: { _x: 1 } } }, "BAD_USER_INPUT", "input.metadata"],
  [
    "write",
    { input: { ...key, content, metadata: { x: "y".repeat(65_536) } } },
    "CONTENT_TOO_LARGE",
    "input.metadata",
  ],
  ["write", { input: { ...key, content, checksum: "ABC" } }, "BAD_USER_INPUT", "input.checksum"],
  ["write", { input: { ...key, content, ifChecksum: "abc" } }, "BAD_USER_INPUT", "input.ifChecksum"],
  ["write", { input: { ...key, content: { text: "a\udc00" } } }, "BAD_USER_INPUT", "input.content.text"],
  [
    "write",
    { input: { ...key, content: { text: "x".repeat(1_048_577) } } },
    "CONTENT_TOO_LARGE",
    "input.content.text",
  ],
  [
    "write",
    { input: { ...key, content: { text: "é".repeat(524_289) } } },
    "CONTENT_TOO_LARGE",
    "input.content.text",
  ],
  [
    "write",
    { input: { ...key, content: { base64: "A".repeat(1_398_104) } } },
    "CONTENT_TOO_LARGE",
    "input.content.base64",
  ],

  [
    "promote",
    { input: { ...key, workflowId: "a|b", toTier: "COLD" } },
    "INVALID_IDENTIFIER",
    "input.workflowId",
  ],
  ["promote", { input: { ...key, toTier: "COLD", ifChecksum: "" } }, "BAD_USER_INPUT", "input.ifChecksum"],
  ["restore", { input: { ...key, artifactId: "a?b" } }, "INVALID_IDENTIFIER", "input.artifactId"],
  ["purge", { input: { ...key, artifactId: "" } }, "INVALID_IDENTIFIER", "input.artifactId"],
  ["purge", { input: { ...key, ifChecksum: "z".repeat(64) } }, "BAD_USER_INPUT", "input.ifChecksum"],

  ["restoreMany", { input: {} }, "BAD_USER_INPUT", "input.keys"],
  ["restoreMany", { input: { keys: [key], where: { tenantId: "acme" } } }, "BAD_USER_INPUT", "input.where"],
  ["restoreMany", { input: { keys: [] } }, "BAD_USER_INPUT", "input.keys"],
  ["restoreMany", { input: { keys: Array(501).fill(key) } }, "BAD_USER_INPUT", "input.keys"],
  [
    "restoreMany",
    { input: { keys: [{ ...key, tenantId: "*" }] } },
    "INVALID_IDENTIFIER",
    "input.keys.0.tenantId",
  ],
  ["restoreMany", { input: { where: {} } }, "BAD_USER_INPUT", "input.where.tenantId"],
  [
    "restoreMany",
    { input: { where: { tenantId: "acme", tiers: [] } } },
    "BAD_USER_INPUT",
    "input.where.tiers",
  ],
  [
    "restoreMany",
    { input: { where: { tenantId: "a", workflowId: ".." } } },
    "INVALID_IDENTIFIER",
    "input.where.workflowId",
  ],
  ["restoreMany", { input: { keys: [key], waitSeconds: 61 } }, "BAD_USER_INPUT", "input.waitSeconds"],

  ["run", { input: { tenantId: "<" } }, "INVALID_IDENTIFIER", "input.tenantId"],
  ["run", { input: { steps: [] } }, "BAD_USER_INPUT", "input.steps"],
  ["run", { input: { waitSeconds: -1 } }, "BAD_USER_INPUT", "input.waitSeconds"],
];

const changes = {
  write: { ...key, content },
  promote: { ...key, toTier: "COLD" },
  restore: key,
  restoreMany: { keys: [key] },
  purge: key,
  run: {},
  cancel: { id: jobGlobalId("lifecycle-1") },
} as const;

for (const [document, input] of Object.entries(changes)) {
  for (const idempotencyKey of ["", "x".repeat(201), "schlüssel", "a\nb"]) {
    refusals.push([
      document as keyof typeof changes,
      { input: { ...input, idempotencyKey } },
      "BAD_USER_INPUT",
      "input.idempotencyKey",
    ]);
  }
}

describe("invalid input", () => {
  it.each(refusals)("of %s is rejected %#: %o with %s at %s", async (document, variables, code, argument) => {
    const services = fakeServices(stored);
    const { errors } = await ask(services, documents[document], variables);
    expect(errors.map(({ extensions }) => [extensions.code, extensions.argument])).toEqual([
      [code, argument],
    ]);
    // Only the existence of the parent objects may have been read.
    const asked = services.calls.filter(({ method }) => !/[eE]xist$/.test(method));
    expect(asked).toEqual([]);
  });

  it("is rejected with the URL for larger content", async () => {
    const input = { ...key, content: { text: "x".repeat(1_048_577) } };
    const { errors } = await ask(fakeServices(), documents.write, { input });
    expect(errors[0]?.message).toContain("PUT /artifacts/");
  });

  it("makes only its own mutation field null", async () => {
    const { data, errors } = await ask(
      fakeServices(),
      `mutation {
        good: writeArtifact(input: { tenantId: "acme", workflowId: "wf", artifactId: "a", content: { text: "" } }) { created }
        bad: writeArtifact(input: { tenantId: ".", workflowId: "wf", artifactId: "a", content: { text: "" } }) { created }
      }`,
    );
    expect(data).toEqual({ good: { created: true }, bad: null });
    expect(errors.map(({ path }) => path)).toEqual([["bad"]]);
  });
});

describe("input passed to the services", () => {
  async function firstCall(document: keyof typeof documents, variables: Record<string, unknown>) {
    const services = fakeServices(stored);
    const { errors } = await ask(services, documents[document], variables);
    expect(errors).toEqual([]);
    const call = services.calls.find(({ method }) => !/[eE]xist$/.test(method));
    return JSON.parse(JSON.stringify(call?.args)) as unknown[];
  }

  it("has one form for equal filters", async () => {
    const where = { tiers: ["COLD", "HOT", "COLD"], artifactIdPrefix: "", tenantId: null, metadata: {} };
    const [filter, order, page] = await firstCall("artifacts", { where });
    expect(filter).toEqual({ tiers: ["HOT", "COLD"] });
    expect(order).toEqual({ field: "KEY", direction: "ASC" });
    expect(page).toEqual({ limit: 50, backward: false, after: null, before: null });
  });

  it("includes a list's parent in the filter", async () => {
    const where = { tenantId: "acme", olderThanDays: 0, asOf: "2026-11-24T13:00:00+01:00" };
    expect((await firstCall("workflowArtifacts", { where }))[0]).toEqual({
      tenantId: "acme",
      workflowId: "wf",
      olderThanDays: 0,
      asOf: FAKE_NOW,
    });
    expect((await firstCall("tenantArtifacts", {}))[0]).toEqual({ tenantId: "acme" });
  });

  it("includes every default of the contract", async () => {
    expect((await firstCall("write", { input: { ...key, content } }))[0]).toEqual({
      ...key,
      tier: "HOT",
      contentType: null,
      metadata: {},
      ifAbsent: false,
    });
    expect(await firstCall("restore", { input: key })).toEqual([{ ...key, toTier: "HOT", dryRun: false }]);
    expect(await firstCall("purge", { input: key })).toEqual([{ ...key, dryRun: false }]);
    expect(await firstCall("run", { input: {} })).toEqual([{ dryRun: false, waitSeconds: 30 }]);
    expect(await firstCall("restoreMany", { input: { keys: [key] } })).toEqual([
      { keys: [key], toTier: "HOT", dryRun: false, waitSeconds: 30 },
    ]);
  });

  it.each(Object.entries(changes))("includes the idempotency key of %s", async (document, input) => {
    const args = await firstCall(document as keyof typeof changes, {
      input: { ...input, idempotencyKey: "k" },
    });
    expect(document === "cancel" ? args[1] : args[0]).toEqual(
      document === "cancel" ? "k" : expect.objectContaining({ idempotencyKey: "k" }),
    );
  });

  it("includes content as bytes, up to and including the limit", async () => {
    for (const [given, length] of [
      [{ text: "" }, 0],
      [{ text: "é" }, 2],
      [{ text: "x".repeat(1_048_576) }, 1_048_576],
      [{ base64: "AP8=" }, 2],
    ] as const) {
      const services = fakeServices();
      const { errors } = await ask(services, documents.write, { input: { ...key, content: given } });
      expect(errors).toEqual([]);
      expect(services.calls[0]?.args[1]).toHaveLength(length);
    }
  });
});
