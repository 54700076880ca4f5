import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep, type EventTransport, type Tierkeep, UnauthenticatedError } from "@tierkeep/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { newTenant } from "../support/client.ts";
import {
  type CommandResult,
  removeDirectory,
  runCommand,
  type Server,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";

const AUTH = { AUTH_API_KEYS: "true" };
const TRANSPORTS: readonly EventTransport[] = ["sse", "ws"];

let dir: string;
let server: Server;
/** A client with an administrator's key, which was created on the machine before the server started. */
let admin: Tierkeep;
/** Every secret that this file creates. */
const secrets: string[] = [];

const keys = (...args: string[]): Promise<CommandResult> =>
  runCommand(["keys", ...args], { cwd: dir, env: AUTH });

async function newSecret(...args: string[]): Promise<string> {
  const { stdout, stderr, code } = await keys("create", ...args);
  expect([code, stdout], stderr).toEqual([0, expect.stringMatching(/^tk_[0-9a-f]{16}_[\w-]{43}\n$/)]);
  const secret = stdout.trim();
  secrets.push(secret);
  return secret;
}

const clientWith = (token: string): Tierkeep =>
  createTierkeep({ url: server.url, token, webSocket: WebSocket });

beforeAll(async () => {
  dir = await temporaryDirectory();
  const secret = await newSecret("--role", "admin", "--name", "first");
  server = await startServer({ dir, env: AUTH });
  admin = clientWith(secret);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await removeDirectory(dir);
});

const idOf = (secret: string) => secret.split("_")[1] as string;

describe("an API key", () => {
  it("authenticates its client as the key's actor, with the key's role and tenants", async () => {
    const tenantId = newTenant();
    const secret = await newSecret("--role", "writer", "--tenant", tenantId);
    const tierkeep = clientWith(secret);
    const actor = `key:${idOf(secret)}`;
    expect(await tierkeep.viewer()).toEqual({ actor, role: "WRITER", tenants: [tenantId] });
    await tierkeep.upload({ tenantId, workflowId: "w", artifactId: "a" }, "x");
    const { nodes } = await admin.lifecycleEventHistory({ where: { tenantId } });
    expect(nodes[0]).toMatchObject({ type: "ARTIFACT_WRITTEN", actor });
  });

  it("is listed without its secret, and the event of its creation has the actor who created it", async () => {
    const secret = await newSecret(
      "--role",
      "reader",
      "--all-tenants",
      "--expires",
      "90d",
      "--name",
      "nightly",
    );
    const listed = await keys("list");
    expect(listed.stdout).toMatch(
      new RegExp(`^${idOf(secret)} +READER +all tenants +valid until .* nightly .* local$`, "m"),
    );
    const events = await admin.lifecycleEventHistory({ where: { types: ["API_KEY_CREATED"] } });
    const made = events.nodes.find(({ error }) => error?.includes(idOf(secret)));
    expect(made).toMatchObject({ actor: "local", error: expect.stringContaining("READER of all tenants") });
  });
});

describe.each(TRANSPORTS)("an API key that is revoked during use", (transport) => {
  it(`ends events over ${transport} with UNAUTHENTICATED, and new requests are refused`, async () => {
    const secret = await newSecret("--role", "reader", "--all-tenants");
    const tierkeep = clientWith(secret);
    const tenantId = newTenant();
    const events = tierkeep.lifecycleEvents({ transport, where: { tenantId } });
    const first = events.next();
    await expect
      .poll(
        async () => {
          await admin.writeArtifact({ tenantId, workflowId: "w", artifactId: "a", content: { text: "x" } });
          return await Promise.race([first, "nothing yet"]);
        },
        { timeout: 30_000 },
      )
      .toMatchObject({ done: false });
    const ending = (async () => {
      for await (const event of events) expect(event.tenantId).toBe(tenantId);
    })();
    ending.catch(() => {});
    expect(await keys("revoke", idOf(secret))).toMatchObject({ code: 0 });
    await expect(ending).rejects.toBeInstanceOf(UnauthenticatedError);
    await expect(tierkeep.viewer()).rejects.toBeInstanceOf(UnauthenticatedError);
  });
});

describe("an API key that is revoked during use", () => {
  it("breaks off a running download, and refuses a running upload", async () => {
    const secret = await newSecret("--role", "writer", "--all-tenants");
    const tierkeep = clientWith(secret);
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    const size = 64 * 1024 * 1024;
    await admin.upload(key, new Uint8Array(size));
    const { stream } = await tierkeep.download(key);
    const reader = stream.getReader();
    await reader.read();

    const objects = () => objectsIn(join(dir, "artifacts", ".tierkeep", "objects"));
    const before = objects();
    const revoked = Promise.withResolvers<void>();
    async function* slowly() {
      yield new Uint8Array(1024 * 1024);
      await revoked.promise;
      for (let index = 0; index < 63; index += 1) yield new Uint8Array(1024 * 1024);
    }
    const upload = tierkeep.upload({ ...key, artifactId: "b" }, slowly());
    upload.catch(() => {});
    // Its staged object shows that the upload has started.
    await expect.poll(objects, { timeout: 30_000 }).toBeGreaterThan(before);
    expect(await keys("revoke", idOf(secret))).toMatchObject({ code: 0 });
    revoked.resolve();
    await expect(upload).rejects.toMatchObject({
      name: expect.stringMatching(/^(?:Unauthenticated|Connection)Error$/),
    });
    const rest = (async () => {
      while (!(await reader.read()).done);
    })();
    await expect(rest).rejects.toThrow();
    expect(await admin.artifact({ ...key, artifactId: "b" })).toBeNull();
  });
});

it("writes no secret of an API key to a log or to the store", async () => {
  await server.stop();
  const texts = [server.stderr, ...filesUnder(dir).map((path) => readFileSync(path, "latin1"))];
  expect(texts.length).toBeGreaterThan(5);
  expect(secrets.length).toBeGreaterThan(4);
  for (const text of texts) {
    expect(secrets.filter((secret) => text.includes(secret.slice(-43)))).toEqual([]);
  }
});

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && statSync(path).size < 16 * 1024 * 1024);
}

function objectsIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .length;
}
