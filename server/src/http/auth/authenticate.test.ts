import { once } from "node:events";
import { SignJWT } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import type { Listener } from "../node/listen.ts";
import { type Authenticate, authenticator } from "./authenticate.ts";
import { type Credentials, unauthenticated } from "./credentials.ts";
import { jwtVerifier } from "./verify-jwt.ts";

const SECRET = Buffer.from("a secret of more than thirty-two bytes");
const OWNER = "the-token-of-owner.json";
const authenticate = authenticator({
  ownerToken: OWNER,
  verifyKey: null,
  verifyJwt: jwtVerifier({ key: SECRET, issuer: null, audience: null }),
});

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;
const tokenOf = (sub: string, exp = inAnHour(), tenants: readonly string[] | null = ["t"]) =>
  new SignJWT({ sub, exp, tierkeep: { role: "writer", tenants } })
    .setProtectedHeader({ alg: "HS256" })
    .sign(SECRET);

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const JSON_POST = { method: "POST", headers: { "content-type": "application/json" } };
const VIEWER = "{ viewer { actor role tenants } }";

/** Every HTTP endpoint that requires authentication. */
const ENTRIES: readonly (readonly [string, string, RequestInit])[] = [
  ["a query", "/graphql", { ...JSON_POST, body: JSON.stringify({ query: VIEWER }) }],
  ["a query by GET", `/graphql?query=${encodeURIComponent(VIEWER)}`, {}],
  [
    "server-sent events",
    "/graphql",
    {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ query: "subscription { lifecycleEvents { type } }" }),
    },
  ],
  ["an upload", "/artifacts/t/w/a", { method: "PUT", body: "content" }],
  ["a download", "/artifacts/t/w/a", {}],
  ["a download's headers", "/artifacts/t/w/a", { method: "HEAD" }],
  ["the metrics", "/metrics", {}],
];

const BAD_CREDENTIALS: readonly (readonly [string, () => Promise<string>])[] = [
  ["no token", async () => ""],
  ["another scheme", async () => "Basic bG9jYWw6bG9jYWw="],
  ["no scheme", async () => OWNER],
  ["an invalid token", async () => "Bearer not-a-token"],
  ["two tokens", async () => `Bearer ${OWNER} ${OWNER}`],
  ["an owner's token of another start", async () => `Bearer ${OWNER}x`],
  ["a token that has expired", async () => `Bearer ${await tokenOf("ada", 1)}`],
];

const open: WebSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate();
});

function socketTo(listener: Listener, headers: Record<string, string> = {}): WebSocket {
  const socket = new WebSocket(listener.url.replace("http", "ws"), "graphql-transport-ws", { headers });
  socket.on("error", () => {});
  open.push(socket);
  return socket;
}

/** Messages of a socket that authenticates with `payload`, up to its close. */
async function dialogue(
  socket: WebSocket,
  payload: unknown,
  onAck: () => void = () => socket.close(1000),
): Promise<unknown[]> {
  const heard: unknown[] = [];
  socket.on("message", (data) => {
    const message = JSON.parse(String(data));
    heard.push(message);
    if (message.type === "connection_ack") onAck();
  });
  if (socket.readyState !== WebSocket.OPEN) await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload }));
  const [code, reason] = await once(socket, "close");
  return [...heard, `${code} ${reason}`];
}

const subscribeTo = (socket: WebSocket, query: string) => () =>
  socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query } }));

it.each(ENTRIES)("%s is refused without valid credentials of any kind", async (_name, path, init) => {
  await using world = await handlerUnderTest({ authenticate });
  for (const [what, authorization] of BAD_CREDENTIALS) {
    const value = await authorization();
    const headers = { ...init.headers, ...(value !== "" && { authorization: value }) };
    const response = await world.request(path, { ...init, headers });
    expect(response.status, what).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    const requestId = response.headers.get("x-request-id");
    const message =
      "No valid credentials were given. Send Authorization: Bearer with a token that is valid here.";
    if (init.method === "HEAD") expect(response.body).toBeNull();
    else if (path.startsWith("/graphql")) {
      expect(await response.json()).toEqual({
        errors: [{ message, extensions: { code: "UNAUTHENTICATED", requestId } }],
      });
    } else {
      expect(await response.json()).toMatchObject({ detail: message, code: "UNAUTHENTICATED", requestId });
    }
    expect(world.logged.at(-1)).toMatchObject({
      actor: "anonymous",
      status: 401,
      code: "UNAUTHENTICATED",
      reason: expect.any(String),
      requestId,
    });
    if (value !== "") expect(JSON.stringify(world.logged)).not.toContain(value.split(" ").at(-1));
  }
  expect(await world.services.artifacts.get(ANYBODY, KEY)).toBeNull();
});

const ANYBODY = { actor: "test", role: "ADMIN", tenants: null } as const;
const KEY = { tenantId: "t", workflowId: "w", artifactId: "a" };

describe("with valid credentials", () => {
  it("every HTTP endpoint responds", async () => {
    await using world = await handlerUnderTest({ authenticate });
    const headers = bearer(await tokenOf("ada", inAnHour(), null));
    for (const [name, path, init] of [ENTRIES[3], ...ENTRIES] as typeof ENTRIES) {
      const response = await world.request(path, { ...init, headers: { ...init.headers, ...headers } });
      expect(response.ok, name).toBe(true);
      await response.body?.cancel();
    }
    expect(world.logged.every(({ actor }) => actor === "ada")).toBe(true);
  });

  it("the metrics, which cover the whole store, require access to all tenants", async () => {
    await using world = await handlerUnderTest({ authenticate });
    const response = await world.request("/metrics", { headers: bearer(await tokenOf("ada")) });
    expect([response.status, (await response.json()).code]).toEqual([403, "FORBIDDEN"]);
  });

  it("the viewer is the token's principal, or `local` with the owner's token", async () => {
    await using world = await handlerUnderTest({ authenticate });
    const viewer = async (token: string) => (await world.graphql(VIEWER, {}, bearer(token))).json();
    expect(await viewer(await tokenOf("ada"))).toEqual({
      data: { viewer: { actor: "ada", role: "WRITER", tenants: ["t"] } },
    });
    expect(await viewer(OWNER)).toEqual({
      data: { viewer: { actor: "local", role: "ADMIN", tenants: null } },
    });
  });

  it("a host that is not loopback is accepted, and a page of an untrusted origin is not", async () => {
    await using world = await handlerUnderTest({ authenticate });
    const headers = bearer(await tokenOf("ada"));
    const ask = (more: Record<string, string>) => world.graphql(VIEWER, {}, { ...headers, ...more });
    expect((await ask({ host: "store.example" })).status).toBe(200);
    expect((await ask({ host: "store.example", origin: "http://store.example" })).status).toBe(200);
    expect((await ask({ host: "store.example", origin: "http://evil.example" })).status).toBe(403);
  });
});

it("endpoints that reveal nothing about the store require no credentials", async () => {
  await using world = await handlerUnderTest({ authenticate });
  expect(await (await world.request("/healthz")).json()).toEqual({ status: "ok" });
  expect(await (await world.request("/readyz")).json()).toEqual({ status: "ready" });
  expect((await world.request("/")).status).toBe(302);
  expect((await world.request("/artifacts/t/w/a", { method: "OPTIONS" })).status).toBe(204);
  expect((await world.request("/graphql", { headers: { accept: "text/html" } })).status).toBe(200);
});

describe("over a WebSocket", () => {
  it.each(["authorization", "Authorization"])("the token is read from connection_init: %s", async (name) => {
    await using world = await handlerUnderTest({ authenticate });
    const socket = socketTo(await world.listen());
    const heard = dialogue(socket, { [name]: `Bearer ${await tokenOf("ada")}` }, subscribeTo(socket, VIEWER));
    socket.on("message", (data) => String(data).includes("complete") && socket.close(1000));
    expect(await heard).toEqual([
      { type: "connection_ack" },
      {
        id: "1",
        type: "next",
        payload: { data: { viewer: { actor: "ada", role: "WRITER", tenants: ["t"] } } },
      },
      { id: "1", type: "complete" },
      "1000 ",
    ]);
  });

  it("the token is read from the upgrade's header if connection_init has none", async () => {
    await using world = await handlerUnderTest({ authenticate });
    const socket = socketTo(await world.listen(), bearer(await tokenOf("ada")));
    expect(await dialogue(socket, undefined)).toEqual([{ type: "connection_ack" }, "1000 "]);
  });

  it("the socket is closed without valid credentials of any kind", async () => {
    await using world = await handlerUnderTest({ authenticate });
    const listener = await world.listen();
    for (const [what, authorization] of BAD_CREDENTIALS) {
      const payload = { authorization: await authorization() };
      expect(await dialogue(socketTo(listener), payload), what).toEqual(["4401 Unauthorized"]);
      expect(world.logged.at(-1)).toMatchObject({
        operation: "websocket connection",
        code: "UNAUTHENTICATED",
      });
    }
  });
});

/** Credentials that end when a test says so. */
function endingCredentials(expiresAt: number | null = null) {
  const revoking = new AbortController();
  const credentials: Credentials = {
    principal: { actor: "ada", role: "WRITER", tenants: ["t"] },
    expiresAt,
    revoked: revoking.signal,
  };
  const authenticateIt: Authenticate = async () => {
    if (revoking.signal.aborted) throw unauthenticated("revoked");
    return credentials;
  };
  return { authenticate: authenticateIt, revoke: () => revoking.abort() };
}

const WATCH = "subscription { lifecycleEvents { artifactId } }";
const refusal = { data: null, errors: [expect.objectContaining({ message: expect.any(String) })] };

async function watch(world: HandlerUnderTest) {
  const response = await world.graphql(WATCH, {}, { accept: "text/event-stream" });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  // The first bytes: the stream has started.
  await reader.read();
  return async (): Promise<string> => {
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += Buffer.from(value).toString();
    }
  };
}

describe("when credentials end during a request", () => {
  it.each(["revoked", "expired"])(
    "server-sent events end with an error as soon as they are %s",
    async (how) => {
      let login = endingCredentials();
      await using world = await handlerUnderTest({
        authenticate: (...args) => login.authenticate(...args),
      });
      if (how === "expired") login = endingCredentials(Date.now() + 3_000);
      const rest = await watch(world);
      if (how === "revoked") login.revoke();
      const [, data, end] =
        /^event: next\ndata: (.*)\n\n(event: complete\ndata:\n\n)$/.exec(await rest()) ?? [];
      expect(JSON.parse(String(data))).toEqual({
        data: null,
        errors: [
          {
            message: expect.any(String),
            extensions: { code: "UNAUTHENTICATED", requestId: expect.any(String) },
          },
        ],
      });
      expect(end).toBeDefined();
      expect(world.logged.at(-1)).toMatchObject({ actor: "ada", code: "UNAUTHENTICATED" });
    },
  );

  it.each(["revoked", "expired"])(
    "a WebSocket gets an error and is closed as soon as they are %s",
    async (how) => {
      let login = endingCredentials();
      await using world = await handlerUnderTest({
        authenticate: (...args) => login.authenticate(...args),
      });
      const listener = await world.listen();
      if (how === "expired") login = endingCredentials(Date.now() + 3_000);
      const socket = socketTo(listener);
      const heard = dialogue(socket, {}, () => {
        subscribeTo(socket, WATCH)();
        // The response to the next message shows that the subscription has started.
        socket.send(JSON.stringify({ id: "2", type: "subscribe", payload: { query: VIEWER } }));
      });
      socket.on("message", (data) => {
        if (how === "revoked" && String(data).includes("complete")) login.revoke();
      });
      const all = await heard;
      expect(all).toContainEqual({ id: "1", type: "next", payload: refusal });
      expect(JSON.stringify(all)).toContain('"code":"UNAUTHENTICATED"');
      expect(all.at(-1)).toBe("4401 Unauthorized");
    },
  );

  it("a download ends incomplete at its next chunk", async () => {
    const login = endingCredentials();
    await using world = await handlerUnderTest({ authenticate: login.authenticate });
    await world.request("/artifacts/t/w/a", { method: "PUT", body: new Uint8Array(8 * 1024 * 1024) });
    const response = await world.request("/artifacts/t/w/a");
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).done).toBe(false);
    login.revoke();
    await expect(reader.read()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(world.logged.at(-1)).toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("an upload is refused at its next chunk, and stores nothing", async () => {
    const login = endingCredentials();
    await using world = await handlerUnderTest({ authenticate: login.authenticate });
    let sent = 0;
    const body = new ReadableStream(
      {
        pull(controller) {
          controller.enqueue(new Uint8Array(64 * 1024));
          sent += 1;
          if (sent === 8) login.revoke();
          if (sent === 100) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const response = await world.request("/artifacts/t/w/a", { method: "PUT", body });
    expect(response.status).toBe(401);
    expect(sent).toBeLessThan(12);
    expect(await world.services.artifacts.get(ANYBODY, KEY)).toBeNull();
  });
});
