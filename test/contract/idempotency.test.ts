import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { dataOf, newTenant, sha256 } from "../support/client.ts";
import { readLog } from "../support/event-log.ts";
import { problemOf, sendRaw } from "../support/raw-http.ts";
import { startServer } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";
import { objectsOf } from "../support/storage-tree.ts";
import { documentOf, type Input, keyIn, type Mutation, mutate } from "./mutations.ts";

const shared = sharedServer();

interface Prepared {
  readonly input: Input;
  /** A different input of the same mutation. */
  readonly other: Input;
}

/** Prepares a separate tenant and the inputs of each mutation. */
const asked: Record<Mutation, (tenantId: string) => Promise<Prepared>> = {
  writeArtifact: async (tenantId) => {
    const input = { ...keyIn(tenantId), content: { text: "one" }, metadata: { run: 1 } };
    return { input, other: { ...input, content: { text: "two" } } };
  },
  promoteArtifact: async (tenantId) => {
    const key = await written(tenantId);
    return { input: { ...key, toTier: "WARM" }, other: { ...key, toTier: "COLD" } };
  },
  restoreArtifact: async (tenantId) => {
    const key = await written(tenantId, "COLD");
    return { input: { ...key, toTier: "HOT" }, other: { ...key, toTier: "WARM" } };
  },
  purgeArtifact: async (tenantId) => {
    const key = await written(tenantId);
    return { input: key, other: { ...key, dryRun: true } };
  },
  restoreArtifacts: async (tenantId) => {
    const key = await written(tenantId, "COLD");
    return { input: { keys: [key] }, other: { where: { tenantId } } };
  },
  runLifecycle: async (tenantId) => ({
    input: { tenantId },
    other: { tenantId, dryRun: true },
  }),
  cancelJob: async (tenantId) => {
    const ids = await Promise.all([jobIn(tenantId), jobIn(tenantId)]);
    return { input: { id: ids[0] }, other: { id: ids[1] } };
  },
};

async function written(tenantId: string, tier = "HOT") {
  const key = keyIn(tenantId);
  await dataOf(shared.server, documentOf("writeArtifact"), {
    input: { ...key, tier, content: { text: "x" } },
  });
  return key;
}

async function jobIn(tenantId: string): Promise<string> {
  const { job } = await shared.tierkeep.runLifecycle({ tenantId, dryRun: true });
  return job.id;
}

const newestEvent = () => shared.tierkeep.lifecycleEventCursor();

describe.each(Object.keys(asked) as Mutation[])("%s with an idempotency key", (mutation) => {
  it("returns the first answer to a retry, and changes nothing", async () => {
    const { input } = await asked[mutation](newTenant());
    const once = { ...input, idempotencyKey: randomUUID() };
    const first = await mutate(shared.server, mutation, once);
    expect(first.errors).toEqual([]);
    const before = await newestEvent();
    const again = await mutate(shared.server, mutation, once);
    expect([again.data, again.errors]).toEqual([first.data, []]);
    expect(await newestEvent()).toBe(before);
  });

  it("refuses a different input with CONFLICT, and changes nothing", async () => {
    const { input, other } = await asked[mutation](newTenant());
    const idempotencyKey = randomUUID();
    const first = await mutate(shared.server, mutation, { ...input, idempotencyKey });
    const before = await newestEvent();
    const { data, errors } = await mutate(shared.server, mutation, { ...other, idempotencyKey });
    expect(data).toEqual({ [mutation]: null });
    expect(errors.map(({ extensions }) => [extensions.code, extensions.argument])).toEqual([
      ["CONFLICT", "input.idempotencyKey"],
    ]);
    expect(await newestEvent()).toBe(before);
    expect((await mutate(shared.server, mutation, { ...input, idempotencyKey })).data).toEqual(first.data);
  });

  it("is made once for concurrent requests", async () => {
    const { input } = await asked[mutation](newTenant());
    const once = { ...input, idempotencyKey: randomUUID() };
    const before = await newestEvent();
    const answers = await Promise.all(Array.from({ length: 8 }, () => mutate(shared.server, mutation, once)));
    const [first] = answers;
    expect(first?.errors).toEqual([]);
    for (const { data } of answers) expect(data).toEqual(first?.data);
    const types = (await readLog(shared.server, before)).map(({ type }) => type);
    expect(new Set(types).size).toBe(types.length);
  });

  it.each(["", "x".repeat(201), "schlüssel", "two\nlines"])("refuses the key %j", async (idempotencyKey) => {
    const { input } = await asked[mutation](newTenant());
    const { errors } = await mutate(shared.server, mutation, { ...input, idempotencyKey });
    expect(errors.map(({ extensions }) => [extensions.code, extensions.argument])).toEqual([
      ["BAD_USER_INPUT", "input.idempotencyKey"],
    ]);
  });
});

describe("a retry with an idempotency key", () => {
  it("returns the first answer after the artifact was replaced, and after it was purged", async () => {
    const key = keyIn(newTenant());
    const once = { ...key, content: { text: "first" }, idempotencyKey: randomUUID() };
    const first = await mutate(shared.server, "writeArtifact", once);
    await mutate(shared.server, "writeArtifact", { ...key, content: { text: "second" } });
    expect((await mutate(shared.server, "writeArtifact", once)).data).toEqual(first.data);
    expect(await shared.tierkeep.artifact(key)).toMatchObject({ checksum: sha256("second") });
    await shared.tierkeep.purgeArtifact(key);
    expect((await mutate(shared.server, "writeArtifact", once)).data).toEqual(first.data);
    expect(await shared.tierkeep.artifact(key)).toBeNull();
  });

  it("is refused with the first refusal, even if it could succeed now", async () => {
    const key = keyIn(newTenant());
    const once = { ...key, toTier: "COLD", idempotencyKey: randomUUID() };
    const codes = async () =>
      (await mutate(shared.server, "promoteArtifact", once)).errors.map(({ extensions }) => extensions.code);
    expect(await codes()).toEqual(["ARTIFACT_NOT_FOUND"]);
    await shared.tierkeep.writeArtifact({ ...key, content: { text: "x" } });
    expect(await codes()).toEqual(["ARTIFACT_NOT_FOUND"]);
    expect(await shared.tierkeep.artifact(key)).toMatchObject({ tier: "HOT" });
  });

  it("returns the first answer within the same request", async () => {
    const input = { ...keyIn(newTenant()), content: { text: "x" }, idempotencyKey: randomUUID() };
    const data = await dataOf<Record<string, { created: boolean }>>(
      shared.server,
      `mutation ($input: WriteArtifactInput!) {
        first: writeArtifact(input: $input) { created artifact { createdAt } }
        again: writeArtifact(input: $input) { created artifact { createdAt } }
      }`,
      { input },
    );
    expect(data.again).toEqual(data.first);
    expect(data.first?.created).toBe(true);
  });
});

describe("PUT with an Idempotency-Key", () => {
  const large = Buffer.alloc(3_000_000, "large ");
  const put = (
    server: { readonly origin: string },
    path: string,
    body: string | Uint8Array,
    headers: Readonly<Record<string, string>>,
  ) => sendRaw(server, { method: "PUT", path, headers, body });

  it.each([
    ["small", "small"],
    ["large", large],
  ])(
    "writes %s content once, returns the same answer to the retry, and leaves no extra object",
    async (_size, body) => {
      await using server = await startServer();
      const headers = { "idempotency-key": randomUUID(), "if-none-match": "*" };
      const answers = [
        await put(server, "/artifacts/t/w/a.txt", body, headers),
        await put(server, "/artifacts/t/w/a.txt", body, headers),
      ].map(({ status, headers, body }) => {
        const { created, artifact } = JSON.parse(body.toString());
        return [status, headers.etag, created, { ...artifact, ageDays: null }];
      });
      expect(answers[0]?.slice(0, 3)).toEqual([201, `"${sha256(body)}"`, true]);
      expect(answers[1]).toEqual(answers[0]);
      expect(await readLog(server)).toHaveLength(1);
      await expect.poll(() => objectsOf(server)).toHaveLength(1);
    },
  );

  it("refuses other content or another target with 409 CONFLICT", async () => {
    const tenantId = newTenant();
    const headers = { "idempotency-key": randomUUID() };
    expect((await put(shared.server, `/artifacts/${tenantId}/w/a`, "one", headers)).status).toBe(201);
    for (const [path, body] of [
      [`/artifacts/${tenantId}/w/a`, "two"],
      [`/artifacts/${tenantId}/w/a`, large],
      [`/artifacts/${tenantId}/w/a?tier=COLD`, "one"],
      [`/artifacts/${tenantId}/w/b`, "one"],
    ] as const) {
      const answer = await put(shared.server, path, body, headers);
      expect([answer.status, problemOf(answer).code]).toEqual([409, "CONFLICT"]);
    }
    const { nodes } = await shared.tierkeep.artifacts({ where: { tenantId } });
    expect(nodes).toMatchObject([{ artifactId: "a", tier: "HOT", checksum: sha256("one") }]);
  });

  it("refuses an invalid key before it requests the body", async () => {
    let asked = false;
    const answer = await sendRaw(shared.server, {
      method: "PUT",
      path: `/artifacts/${newTenant()}/w/a`,
      headers: { "idempotency-key": "x".repeat(201), expect: "100-continue" },
      body: "x",
      onContinue: () => {
        asked = true;
      },
    });
    expect([answer.status, problemOf(answer).code, asked]).toEqual([400, "BAD_USER_INPUT", false]);
  });
});
