import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep, type EventTransport, type Tierkeep, UnauthenticatedError } from "@tierkeep/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { newTenant } from "../support/client.ts";
import { runCommand, type Server, startServer } from "../support/server.ts";
import { TOKEN_SECRET, tokenOf } from "../support/token.ts";

const TRANSPORTS: readonly EventTransport[] = ["sse", "ws"];

let server: Server;
/** Every token that this file sends to the server. */
const seen: string[] = [];

beforeAll(async () => {
  server = await startServer({ env: { HOST: "0.0.0.0", AUTH_JWT_SECRET: TOKEN_SECRET } });
});
afterAll(() => server?.[Symbol.asyncDispose]());

function newToken(...claims: Parameters<typeof tokenOf>): string {
  const token = tokenOf(...claims);
  seen.push(token);
  return token;
}

const local = () => server.url.replace("0.0.0.0", "127.0.0.1");
const clientWith = (token: string | (() => string) | undefined): Tierkeep =>
  createTierkeep({ url: local(), token, webSocket: WebSocket });
const newKey = () => ({ tenantId: newTenant(), workflowId: "w", artifactId: "a" });

describe("a valid token", () => {
  it("is accepted at every entry point, and events name its actor", { timeout: 60_000 }, async () => {
    const token = newToken({ actor: "grace" });
    const tierkeep = clientWith(token);
    expect(await tierkeep.viewer()).toMatchObject({ actor: "grace", role: "ADMIN", tenants: null });
    const after = await tierkeep.lifecycleEventCursor();
    const followed = TRANSPORTS.map((transport) => tierkeep.lifecycleEvents({ transport, after }));
    const events = Promise.all(followed.map(async (each) => (await each.next()).value?.actor));
    const key = newKey();
    await tierkeep.upload(key, "uploaded");
    expect(await (await tierkeep.download(key)).text()).toBe("uploaded");
    expect(await events).toEqual(["grace", "grace"]);
    for (const each of followed) await each.return?.();
    const metrics = await fetch(new URL("/metrics", local()), {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await metrics.text()).toContain("tierkeep_audit_lag_seconds");
  });

  it("signs URLs that work without a token", { timeout: 60_000 }, async () => {
    const tierkeep = clientWith(newToken({ actor: "grace" }));
    const key = newKey();
    const { url } = await tierkeep.signedUploadUrl({ upload: { ...key, ifAbsent: true } });
    const put = () => fetch(new URL(url, local()), { method: "PUT", body: "signed" });
    expect((await put()).status).toBe(201);
    expect((await put()).status).toBe(412);
    const signed = await tierkeep.signedDownloadUrl({ key, expiresInSeconds: 60 });
    const download = new URL(signed?.url ?? "", local());
    expect(await (await fetch(download)).text()).toBe("signed");
    download.pathname += "x";
    expect((await fetch(download)).status).toBe(401);
    const { nodes } = await tierkeep.lifecycleEventHistory({ where: { tenantId: key.tenantId } });
    expect(nodes.map(({ actor }) => actor)).toEqual(["grace"]);
    seen.push(...[url, download.href].map((each) => `..${each.split(".").at(-1)}`));
  });

  it("authenticates a command at TIERKEEP_URL, and an invalid one exits with 5", {
    timeout: 60_000,
  }, async () => {
    const env = { TIERKEEP_URL: local() };
    const args = ["gql", "-", "--json"];
    const input = "{ viewer { actor } }";
    const token = newToken({ actor: "grace" });
    const done = await runCommand(args, { env: { ...env, TIERKEEP_TOKEN: token }, input });
    expect(done.stdout).toContain('"grace"');
    const refused = await runCommand(args, { env: { ...env, TIERKEEP_TOKEN: `${token}x` }, input });
    expect(refused).toMatchObject({ code: 5, stdout: "" });
    expect(refused.stderr).toContain("No valid credentials were given");
    expect(refused.stderr).not.toContain(token);
  });

  it("is not needed by a command on the store's machine", { timeout: 60_000 }, async () => {
    const env = { AUTH_JWT_SECRET: TOKEN_SECRET };
    const viewer = await runCommand(["gql", "-", "--json"], {
      cwd: server.dir,
      env,
      input: "{ viewer { actor role } }",
    });
    expect(viewer.stderr).toBe("");
    expect(JSON.parse(viewer.stdout)).toMatchObject({ viewer: { actor: "local", role: "ADMIN" } });
  });
});

describe("a missing or invalid token", () => {
  it.each([undefined, "abc", "a.b.c"])(
    "is refused at every entry point except /healthz: %s",
    async (token) => {
      const tierkeep = clientWith(token);
      const key = newKey();
      for (const attempt of [
        () => tierkeep.viewer(),
        () => tierkeep.writeArtifact({ ...key, content: { text: "x" } }),
        () => tierkeep.upload(key, "x"),
        () => tierkeep.download(key),
        ...TRANSPORTS.map((transport) => () => tierkeep.lifecycleEvents({ transport, after: "x" }).next()),
      ]) {
        await expect(attempt()).rejects.toBeInstanceOf(UnauthenticatedError);
      }
      expect((await fetch(new URL("/metrics", local()))).status).toBe(401);
      expect(await (await fetch(new URL("/healthz", local()))).json()).toEqual({ status: "ok" });
    },
  );
});

describe.each(TRANSPORTS)("events over %s whose token expires", (transport) => {
  it("end with UNAUTHENTICATED", { timeout: 60_000 }, async () => {
    const token = newToken({ expiresInSeconds: 2 });
    const events = clientWith(token).lifecycleEvents({ transport });
    await expect(events.next()).rejects.toBeInstanceOf(UnauthenticatedError);
  });

  it("continue without a lost event if the client has a new token", { timeout: 60_000 }, async () => {
    const tenantId = newTenant();
    const writer = clientWith(newToken());
    let given = 0;
    const tierkeep = clientWith(() => {
      given += 1;
      return newToken({ expiresInSeconds: 4 });
    });
    const after = await tierkeep.lifecycleEventCursor();
    const events = tierkeep.lifecycleEvents({ transport, where: { tenantId }, after });
    const heard: (string | null | undefined)[] = [];
    for (let index = 0; given < 3; index += 1) {
      await writer.writeArtifact({
        tenantId,
        workflowId: "w",
        artifactId: `a${index}`,
        content: { text: "x" },
      });
      heard.push((await events.next()).value?.artifactId);
    }
    expect(heard).toEqual(heard.map((_, index) => `a${index}`));
    await events.return?.();
  });
});

describe("AUTH_JWT_SECRET_PREVIOUS", () => {
  it("accepts tokens of the previous secret until a restart without it, and appears in no log", async () => {
    const previous = `${TOKEN_SECRET}, before`;
    const viewerOf = (url: string, token: string) => createTierkeep({ url, token }).viewer();
    await using rotating = await startServer({
      env: { AUTH_JWT_SECRET: TOKEN_SECRET, AUTH_JWT_SECRET_PREVIOUS: previous },
    });
    const [current, old] = [tokenOf({ actor: "new" }), tokenOf({ actor: "old", secret: previous })];
    expect(await viewerOf(rotating.url, current)).toMatchObject({ actor: "new" });
    expect(await viewerOf(rotating.url, old)).toMatchObject({ actor: "old" });
    await rotating.stop();
    expect(rotating.stderr + rotating.stdout.join("\n")).not.toContain(TOKEN_SECRET);
    await using rotated = await startServer({ dir: rotating.dir, env: { AUTH_JWT_SECRET: TOKEN_SECRET } });
    expect(await viewerOf(rotated.url, current)).toMatchObject({ actor: "new" });
    await expect(viewerOf(rotated.url, old)).rejects.toBeInstanceOf(UnauthenticatedError);
  });
});

it("writes no token to the log or to the audit log", async () => {
  await server.stop();
  const audit = readFileSync(join(server.dir, "logs", "lifecycle_events.jsonl"), "utf8");
  for (const text of [server.stderr, server.stdout.join("\n"), audit]) {
    expect(seen.filter((token) => text.includes(token.split(".")[2] as string))).toEqual([]);
    expect(text).not.toContain(TOKEN_SECRET);
  }
  expect(server.stderr).toContain('"code":"UNAUTHENTICATED","reason":');
});
