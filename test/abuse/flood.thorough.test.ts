import { createTierkeep } from "@tierkeep/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { newTenant } from "../support/client.ts";
import { type RawRequest, sendRaw } from "../support/raw-http.ts";
import { runCommand, type Server, startServer } from "../support/server.ts";
import { TOKEN_SECRET, tokenOf } from "../support/token.ts";

const GENEROUS = { timeout: 60_000 };
const known = tokenOf({ actor: "known" });
const forged = () => `${tokenOf({ actor: `${Math.random()}` })}x`;
const unknownKey = `tk_0123456789abcdef_${"A".repeat(43)}`;

const QUERY = { method: "POST", path: "/graphql", body: '{"query":"{ viewer { actor } }"}' };
const QUERY_OF: RawRequest = { ...QUERY, headers: { "content-type": "application/json" } };
const ENTRIES: Readonly<Record<string, RawRequest>> = {
  "a query": QUERY_OF,
  "server-sent events": {
    ...QUERY,
    headers: { "content-type": "application/json", accept: "text/event-stream" },
  },
  "an upload": { method: "PUT", path: "/artifacts/t/w/a", body: "content" },
  "a download": { path: "/artifacts/t/w/a" },
  "the metrics": { path: "/metrics" },
};

const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };

let server: Server;
/** Used on the server before the failed attempts start. */
let apiKey: { readonly keyId: string; readonly secret: string };
let signed: string;

beforeAll(async () => {
  // One failed attempt a minute is allowed, so no test sees a second one.
  server = await startServer({ env: { AUTH_JWT_SECRET: TOKEN_SECRET, RATE_LIMIT_FAILED_AUTH: "1" } });
  const admin = createTierkeep({ url: server.url, token: known });
  await admin.upload(key, "content");
  signed = await newSignedUrl();
  const made = await admin.createApiKey({ role: "READER", tenantIds: [key.tenantId] });
  apiKey = { keyId: made.apiKey.keyId, secret: made.secret as string };
  expect((await sendRaw(server, { path: signed })).status).toBe(200);
  expect((await sendRaw(server, withToken(QUERY_OF, apiKey.secret))).status).toBe(200);
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function newSignedUrl(): Promise<string> {
  const admin = createTierkeep({ url: server.url, token: known });
  const made = await admin.signedDownloadUrl({ key, expiresInSeconds: 600 });
  const { pathname, search } = new URL(made?.url ?? "", server.url);
  return pathname + search;
}

const withToken = (raw: RawRequest, token: string, more = {}): RawRequest => ({
  ...raw,
  headers: { ...raw.headers, authorization: `Bearer ${token}`, ...more },
});

async function metric(name: string): Promise<number> {
  const { body } = await sendRaw(server, withToken(ENTRIES["the metrics"] as RawRequest, known));
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(String(body))?.[1]);
}
const failedAttempts = () => metric("tierkeep_failed_authentications_total");

/** Sends invalid tokens until the server responds with 429. */
async function flood(at = server): Promise<void> {
  await expect
    .poll(async () => (await sendRaw(at, withToken({ path: "/metrics" }, forged()))).status, {
      timeout: 20_000,
      interval: 1,
    })
    .toBe(429);
}

/** Returns the close code of a WebSocket that sends a token in connection_init, or null if it is acknowledged. */
function webSocketEnd(token: string): Promise<number | null> {
  const socket = new WebSocket(server.webSocketUrl, "graphql-transport-ws");
  const payload = { authorization: `Bearer ${token}` };
  socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init", payload })));
  return new Promise((resolve) => {
    socket.once("message", () => {
      socket.terminate();
      resolve(null);
    });
    socket.once("close", resolve);
  });
}

describe("an address with too many failed attempts", () => {
  it(
    "is refused at every entry point without a token check, despite forwarding headers",
    GENEROUS,
    async () => {
      await flood();
      const before = await failedAttempts();
      let sent = 0;
      for (const [what, raw] of Object.entries(ENTRIES)) {
        for (const token of [forged(), unknownKey, "nonsense"]) {
          const elsewhere = { "x-forwarded-for": "203.0.113.9", forwarded: "for=203.0.113.9" };
          const { status, headers } = await sendRaw(server, withToken(raw, token, elsewhere));
          sent += 1;
          expect([what, status]).toEqual([what, 429]);
          expect(headers["retry-after"]).toMatch(/^[1-9]\d?$/);
        }
      }
      expect(await webSocketEnd(forged())).toBe(1013);
      expect(await failedAttempts()).toBe(before);
      expect(await metric("tierkeep_refused_authentications_total")).toBeGreaterThanOrEqual(sent + 1);
      expect(server.stderr).toContain('"reason":"failed attempts from 127.0.0.1"');
    },
  );

  it(
    "keeps serving previously accepted credentials, health checks and commands on the server's machine",
    GENEROUS,
    async () => {
      await flood();
      for (const token of [known, apiKey.secret]) {
        expect((await sendRaw(server, withToken(QUERY_OF, token))).status).toBe(200);
        expect(await webSocketEnd(token)).toBeNull();
      }
      expect((await sendRaw(server, { path: signed })).status).toBe(200);
      expect((await sendRaw(server, { path: "/healthz" })).status).toBe(200);
      const args = ["keys", "create", "--role", "admin", "--json"];
      expect(await runCommand(args, { cwd: server.dir })).toMatchObject({ code: 0 });
    },
  );

  it("is refused with a valid token that the server has not seen before", GENEROUS, async () => {
    await flood();
    expect((await sendRaw(server, withToken(QUERY_OF, tokenOf({ actor: "new" })))).status).toBe(429);
  });

  it(
    "may use a new signed URL, and forged signed URLs do not count as failed attempts",
    GENEROUS,
    async () => {
      await flood();
      const before = await failedAttempts();
      for (let n = 0; n < 5; n += 1) {
        expect((await sendRaw(server, { path: "/artifacts/t/w/a?signed=e30.AAAA" })).status).toBe(401);
      }
      expect((await sendRaw(server, { path: await newSignedUrl() })).status).toBe(200);
      expect(await failedAttempts()).toBe(before);
    },
  );

  it("is refused with a previously accepted key as soon as the key is revoked", GENEROUS, async () => {
    await flood();
    const { keyId, secret } = apiKey;
    await createTierkeep({ url: server.url, token: known }).revokeApiKey({ keyId });
    const status = async () => (await sendRaw(server, withToken(QUERY_OF, secret))).status;
    expect(await status()).toBe(401);
    expect(await status()).toBe(429);
  });
});

it(
  "accepts a new valid token from a limited address after the failed attempts have stopped",
  GENEROUS,
  async () => {
    const env = { AUTH_JWT_SECRET: TOKEN_SECRET, RATE_LIMIT_FAILED_AUTH: "30" };
    await using quick = await startServer({ env });
    await flood(quick);
    const { actor } = await createTierkeep({ url: quick.url, token: tokenOf({ actor: "new" }) }).viewer();
    expect(actor).toBe("new");
  },
);
