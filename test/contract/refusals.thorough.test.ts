import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it, vi } from "vitest";
import { type Answer, ask, dataOf, daysAfter, newTenant, sha256 } from "../support/client.ts";
import { writeMany } from "../support/many-artifacts.ts";
import { problemOf, type RawRequest, type RawResponse, sendRaw } from "../support/raw-http.ts";
import { type Server, startServer } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

const GRAPHQL_PATH = "/graphql";

interface Ways {
  /** Sends a GraphQL request that is refused with this code. */
  readonly graphql?: () => Promise<Answer<unknown>>;
  /** The expected status, and an HTTP request that is refused with this code. */
  readonly http?: readonly [status: number, send: () => Promise<RawResponse>];
}

function mutate(field: string, input: string, given: Record<string, unknown>, selection = "__typename") {
  return ask(shared.server, `mutation ($input: ${input}!) { ${field}(input: $input) { ${selection} } }`, {
    input: given,
  });
}

function send(path: string, request: Omit<RawRequest, "path"> = {}, server: Server = shared.server) {
  return sendRaw(server, { path, ...request });
}

function put(path: string, headers: RawRequest["headers"] = {}, body: string | Uint8Array = "x") {
  return send(path, { method: "PUT", headers, body });
}

const newKey = () => ({ tenantId: newTenant(), workflowId: "w", artifactId: "a" });
const urlOf = (key: ReturnType<typeof newKey>) =>
  `/artifacts/${key.tenantId}/${key.workflowId}/${key.artifactId}`;

async function written(text = "x") {
  const key = newKey();
  await shared.tierkeep.upload(key, text);
  return key;
}

/** Runs `act` with a separate server, which may be unusable afterwards. The server is killed in any case. */
async function withServer<T>(act: (server: Server) => Promise<T>, options = {}): Promise<T> {
  await using server = await startServer({ env: { TIERKEEP_ALLOW_AS_OF: "true" }, ...options });
  return await act(server);
}

/** Runs `act` with a server whose folder of objects was replaced by a file, as if the disk were gone. */
async function withoutObjects<T>(act: (server: Server, url: string) => Promise<T>): Promise<T> {
  return await withServer(async (server) => {
    const { artifact } = await createTierkeep({ url: server.url }).upload(
      { tenantId: "t", workflowId: "w", artifactId: "a" },
      "x".repeat(100_000),
    );
    const objects = join(server.dir, "artifacts", ".tierkeep", "objects");
    renameSync(objects, `${objects}.gone`);
    writeFileSync(objects, "");
    return await act(server, artifact.downloadUrl);
  });
}

/** Runs `act` with a server whose catalog's tables were renamed: an unexpected failure. */
async function withBrokenCatalog<T>(act: (server: Server) => Promise<T>): Promise<T> {
  return await withServer(async (server) => {
    await createTierkeep({ url: server.url }).upload(
      { tenantId: "t", workflowId: "w", artifactId: "a" },
      "x",
    );
    const catalog = new DatabaseSync(join(server.dir, "artifacts", ".tierkeep", "catalog.db"), {
      timeout: 30_000,
    });
    const tables = catalog.prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    for (const { name } of tables.all()) catalog.exec(`ALTER TABLE "${name}" RENAME TO "${name}_gone"`);
    catalog.close();
    return await act(server);
  });
}

/** Limits the server's files to 4 MiB, which behaves much like a full disk. */
const smallFiles = {
  through: (command: readonly string[]): readonly [string, ...string[]] => [
    "sh",
    "-c",
    'ulimit -f 8192 && exec "$@"',
    "sh",
    ...command,
  ],
};

// Every code that this version can return, through each protocol that can return it.
const table: Readonly<Record<string, Ways>> = {
  INVALID_IDENTIFIER: {
    graphql: () => ask(shared.server, `{ tenant(tenantId: "..") { id } }`),
    http: [400, () => send("/artifacts/t/w/%2E%2E")],
  },
  BAD_USER_INPUT: {
    graphql: () => ask(shared.server, "{ artifacts(first: 501) { totalCount } }"),
    http: [400, () => put("/artifacts/t/w/a?tier=TEPID")],
  },
  ARTIFACT_NOT_FOUND: {
    graphql: () => mutate("purgeArtifact", "PurgeArtifactInput", newKey()),
    http: [404, () => send(urlOf(newKey()))],
  },
  NOT_FOUND: {
    graphql: () => mutate("cancelJob", "CancelJobInput", { id: "none" }),
    http: [404, () => send("/nothing")],
  },
  SAME_TIER: {
    graphql: async () => mutate("restoreArtifact", "RestoreArtifactInput", await written()),
  },
  HELD: {
    graphql: async () => {
      const key = newKey();
      await shared.tierkeep.upload(key, "x", { metadata: { retention_override: "7_years" } });
      return mutate("purgeArtifact", "PurgeArtifactInput", key);
    },
  },
  PRECONDITION_FAILED: {
    graphql: async () =>
      mutate("purgeArtifact", "PurgeArtifactInput", { ...(await written()), ifChecksum: sha256("other") }),
    http: [412, async () => put(urlOf(await written()), { "if-none-match": "*" })],
  },
  CONFLICT: {
    graphql: async () => {
      const tenantId = newTenant();
      await writeMany(shared.server, tenantId, 600);
      const input = { tenantId, asOf: daysAfter(new Date().toISOString(), 8), waitSeconds: 0 };
      const answer = await ask(
        shared.server,
        `mutation ($one: RunLifecycleInput!, $two: RunLifecycleInput!) {
          one: runLifecycle(input: $one) { job { id } }
          two: runLifecycle(input: $two) { job { id } }
        }`,
        { one: input, two: { ...input, steps: ["PURGE"] } },
      );
      await shared.tierkeep.runLifecycle({ ...input, waitSeconds: 60 });
      return answer;
    },
  },
  CONTENT_TOO_LARGE: {
    graphql: () =>
      mutate("writeArtifact", "WriteArtifactInput", {
        ...newKey(),
        content: { text: "x".repeat(1024 * 1024 + 1) },
      }),
    http: [
      413,
      () =>
        put(urlOf(newKey()), {
          "tierkeep-metadata": Buffer.from(`{"a":"${"x".repeat(65_536)}"}`).toString("base64url"),
        }),
    ],
  },
  CHECKSUM_MISMATCH: {
    graphql: () =>
      mutate("writeArtifact", "WriteArtifactInput", {
        ...newKey(),
        content: { text: "x" },
        checksum: sha256("other"),
      }),
    http: [
      422,
      () =>
        put(urlOf(newKey()), {
          "repr-digest": `sha-256=:${Buffer.from(sha256("y"), "hex").toString("base64")}:`,
        }),
    ],
  },
  STORAGE_FULL: {
    http: [
      507,
      () =>
        withServer(async (server) => {
          const tierkeep = createTierkeep({ url: server.url });
          const answer = await send(
            "/artifacts/t/w/a",
            { method: "PUT", body: Buffer.alloc(6_000_000) },
            server,
          );
          // Content that fits is still written.
          await tierkeep.upload({ tenantId: "t", workflowId: "w", artifactId: "b" }, "x".repeat(1_000_000));
          expect((await tierkeep.artifacts()).nodes.map(({ artifactId }) => artifactId)).toEqual(["b"]);
          return answer;
        }, smallFiles),
    ],
  },
  TIER_UNAVAILABLE: {
    graphql: () =>
      withoutObjects((server) =>
        ask(server, `{ artifact(tenantId: "t", workflowId: "w", artifactId: "a") { text } }`),
      ),
    http: [503, () => withoutObjects((server, url) => send(url, {}, server))],
  },
  UNAVAILABLE: {
    graphql: () =>
      withServer(async (server) => {
        await createTierkeep({ url: server.url }).upload(
          { tenantId: "t", workflowId: "w", artifactId: "a" },
          "x",
        );
        const log = join(server.dir, "logs", "lifecycle_events.jsonl");
        await vi.waitFor(() => renameSync(log, `${log}.aside`), { timeout: 30_000 });
        mkdirSync(log);
        return await ask(
          server,
          `mutation { purgeArtifact(input: { tenantId: "t", workflowId: "w", artifactId: "a" }) { sizeBytes } }`,
        );
      }),
  },
  CURSOR_INVALID: {
    graphql: () => ask(shared.server, `{ artifacts(after: "x") { totalCount } }`),
  },
  FORBIDDEN: {
    http: [
      403,
      () =>
        send(GRAPHQL_PATH, {
          method: "POST",
          headers: { origin: "http://evil.example", "content-type": "application/json" },
          body: JSON.stringify({ query: "{ viewer { actor } }" }),
        }),
    ],
  },
  UNAUTHENTICATED: {
    http: [
      401,
      () =>
        withServer((server) => send("/artifacts/t/w/a", {}, server), {
          env: { AUTH_JWT_SECRET: "0123456789abcdef".repeat(4) },
        }),
    ],
  },
  RATE_LIMITED: {
    http: [
      429,
      () =>
        withServer(
          async (server) => {
            let answer: RawResponse;
            do answer = await send("/artifacts/t/w/a", {}, server);
            while (answer.status === 404);
            return answer;
          },
          { env: { RATE_LIMIT: "1", RATE_LIMIT_BURST: "1" } },
        ),
    ],
  },
  QUERY_TOO_COMPLEX: {
    graphql: async () => {
      const key = await written("x".repeat(1024 * 1024));
      const fields = Array.from({ length: 17 }, (_, index) => `f${index}: text`).join(" ");
      const query = `query ($keys: [ArtifactKeyInput!]!) { artifactsByKey(keys: $keys) { ${fields} } }`;
      return await ask(shared.server, query, { keys: [key] });
    },
  },
  INTERNAL: {
    graphql: () =>
      withBrokenCatalog(async (server) => {
        const answer = await ask(
          server,
          `{ artifact(tenantId: "t", workflowId: "w", artifactId: "b") { id } }`,
        );
        const [error] = answer.errors;
        expect(error?.message).not.toMatch(/sqlite|table|catalog|\.ts|\//i);
        await expect.poll(() => server.stderr).toMatch(`"requestId":"${error?.extensions.requestId}"`);
        expect(server.stderr).toMatch(/no such table/);
        return answer;
      }),
    http: [500, () => withBrokenCatalog((server) => send("/artifacts/t/w/b", {}, server))],
  },
  GRAPHQL_PARSE_FAILED: { graphql: () => ask(shared.server, "{") },
  GRAPHQL_VALIDATION_FAILED: { graphql: () => ask(shared.server, "{ nothing }") },
};

const viaGraphql = Object.entries(table).flatMap(([code, { graphql }]) =>
  graphql ? [[code, graphql] as const] : [],
);
const viaHttp = Object.entries(table).flatMap(([code, { http }]) => (http ? [[code, ...http] as const] : []));

/** Returns the schema's codes, and whether their descriptions mark them as reserved. */
async function codesOfSchema() {
  const { __type } = await dataOf<{ __type: { enumValues: { name: string; description: string }[] } }>(
    shared.server,
    `{ __type(name: "ErrorCode") { enumValues { name description } } }`,
  );
  return __type.enumValues.map(({ name, description }) => ({
    name,
    reserved: /\bReserved: /.test(description),
  }));
}

describe("the error codes of the schema", () => {
  it("are all tested here if they are not marked as reserved", async () => {
    const raised = (await codesOfSchema()).filter(({ reserved }) => !reserved).map(({ name }) => name);
    expect(Object.keys(table).sort()).toEqual(raised.sort());
    for (const ways of Object.values(table)) expect(ways.graphql ?? ways.http).toBeDefined();
  });

  it("include the reserved code QUOTA_EXCEEDED", async () => {
    const reserved = (await codesOfSchema()).filter((code) => code.reserved).map(({ name }) => name);
    expect(reserved.sort()).toEqual(["QUOTA_EXCEEDED"]);
  });
});

describe("a refusal through GraphQL", () => {
  it.each(viaGraphql)("returns %s", async (code, reach) => {
    const { status, errors } = await reach();
    expect(status).toBe(200);
    expect(errors.map(({ extensions }) => extensions.code)).toContain(code);
    for (const { message, extensions } of errors) {
      expect(extensions.requestId).toMatch(/./);
      // The message is a sentence, not a code.
      expect(message).toMatch(/ /);
    }
  });
});

describe("a refusal through HTTP", () => {
  it.each(viaHttp)("returns %s with status %d as problem+json", async (code, status, reach) => {
    const answer = await reach();
    expect(answer.status).toBe(status);
    expect(problemOf(answer)).toMatchObject({
      code,
      status,
      requestId: answer.headers["x-request-id"],
      title: expect.stringMatching(/ /),
      detail: expect.stringMatching(/ /),
    });
  });
});
