import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ask } from "../support/client.ts";
import { sendRaw } from "../support/raw-http.ts";
import { frameOf, framesIn, rawSocket, webSocketHandshake } from "../support/raw-socket.ts";
import { startServer } from "../support/server.ts";
import { TOKEN_SECRET, tokenOf } from "../support/token.ts";

const MARK = "mArKeD-content-7d31f0";
const token = tokenOf({ actor: "ada" });

/** Every encoding in which the mark, the token or the secret could appear in a log. */
const SPELLINGS = [MARK, token, token.split(".")[2] ?? "", TOKEN_SECRET].flatMap((text) => [
  text,
  Buffer.from(text).toString("base64").replace(/=+$/, ""),
  Buffer.from(text).toString("base64url"),
  Buffer.from(text).toString("hex"),
  encodeURIComponent(text),
]);

const WRITE = "mutation Write($input: WriteArtifactInput!) { writeArtifact(input: $input) { created } }";
const KEY = { tenantId: "acme", workflowId: "w", artifactId: "a" };

it("a server logs one line per request; its log and the audit log have no content, metadata, variables, headers or credentials", {
  timeout: 60_000,
}, async () => {
  await using server = await startServer({ env: { AUTH_JWT_SECRET: TOKEN_SECRET, AUDIT_READS: "true" } });
  const ids: string[] = [];
  const headers = (more: Record<string, string> = {}) => {
    const id = randomUUID();
    ids.push(id);
    return {
      authorization: `Bearer ${token}`,
      "x-request-id": id,
      cookie: `session=${MARK}`,
      "x-forwarded-for": MARK,
      "user-agent": MARK,
      referer: `http://localhost/${MARK}`,
      ...more,
    };
  };
  const graphql = (query: string, variables: Record<string, unknown> = {}, more = {}) =>
    ask(server, query, variables, headers(more));
  const raw = (method: string, path: string, more: Record<string, string> = {}, body = "") =>
    sendRaw(server, { method, path, headers: headers(more), body });
  const metadata = { key: MARK, [MARK]: [MARK] };

  // Requests that succeed.
  const input = { ...KEY, content: { text: MARK }, metadata, idempotencyKey: MARK };
  expect((await graphql(WRITE, { input })).errors).toEqual([]);
  expect(
    (await graphql(`{ artifact(tenantId: "acme", workflowId: "w", artifactId: "a") { text metadata } }`))
      .data,
  ).toEqual({
    artifact: { text: MARK, metadata },
  });
  await graphql(
    `mutation { writeArtifact(input: { tenantId: "acme", workflowId: "w", artifactId: "b", content: { text: "${MARK}" }, metadata: { a: "${MARK}" } }) { created } }`,
  );
  await graphql(`{ artifacts(where: { metadata: { key: "${MARK}" } }) { totalCount } }`);
  const encoded = Buffer.from(JSON.stringify(metadata)).toString("base64url");
  expect(
    (
      await raw(
        "PUT",
        "/artifacts/acme/w/c",
        { "tierkeep-metadata": encoded, "idempotency-key": `${MARK}2` },
        MARK,
      )
    ).status,
  ).toBe(201);
  expect(String((await raw("GET", "/artifacts/acme/w/c")).body)).toBe(MARK);

  // Requests that are refused, one for each reason.
  await graphql(`{ ${MARK} }`);
  await graphql(`{ "${MARK}`);
  await graphql(`query ($a: Int) { tenants(first: $a) { totalCount } }`, { a: MARK });
  await graphql(WRITE, { input: { ...input, content: { base64: `${MARK}!` } } });
  await graphql(WRITE, { input: { ...input, [MARK]: MARK, metadata: [MARK] } });
  await graphql(WRITE, { input: { ...input, tenantId: `${MARK}/` } });
  await graphql(WRITE, { input: { ...input, content: { text: `other ${MARK}` } } });
  await graphql(`query A { viewer { actor } }`, {}, { authorization: `Bearer ${MARK}` });
  await graphql(`query A { viewer { actor } }`, {}, { authorization: `Basic ${MARK}` });
  await raw("POST", "/graphql", { "content-type": "application/json" }, `{"query": ${MARK}`);
  await raw("POST", "/graphql", { "content-type": `text/${MARK}` }, MARK);
  await raw(
    "POST",
    "/graphql",
    { accept: MARK, "content-type": "application/json" },
    `{"query":"{ viewer { actor } }"}`,
  );
  await raw("GET", `/graphql?query=${MARK}&variables=${MARK}`);
  await raw("GET", `/artifacts/acme/w/${MARK}?token=${MARK}`);
  await raw("GET", `/${MARK}?access_token=${MARK}`);
  await raw("PUT", "/artifacts/acme/w/d", { "tierkeep-metadata": `!${MARK}` }, MARK);
  await raw("PUT", "/artifacts/acme/w/d", { "repr-digest": MARK, "if-match": MARK }, MARK);
  await raw("PUT", "/artifacts/acme/w/d", { "content-encoding": MARK }, MARK);
  // The only header value in the log is the origin of a refused page. Operators need it for CORS_ORIGINS.
  await raw("GET", "/healthz", { origin: "https://page.example" });
  await raw("GET", "/healthz", { origin: MARK });
  await raw("GET", "/healthz", { origin: `https://page.example/${MARK}` });
  await graphql(
    "subscription { lifecycleEvents { id } }",
    {},
    { accept: "text/event-stream", "last-event-id": MARK },
  ).catch(() => {});

  // WebSockets: one with a valid token in the payload of connection_init, and one with an invalid token.
  for (const given of [token, MARK]) {
    using socket = rawSocket(server);
    socket.send(webSocketHandshake(headers()));
    socket.send(
      frameOf({
        payload: JSON.stringify({
          type: "connection_init",
          payload: { authorization: `Bearer ${given}`, more: MARK },
        }),
      }),
    );
    await expect.poll(() => framesIn(socket.received).length, { timeout: 20_000 }).toBeGreaterThan(0);
    const payload = {
      query: `query Q($a: Int) { tenants(first: $a) { totalCount } }`,
      variables: { a: MARK },
    };
    socket.send(frameOf({ payload: JSON.stringify({ id: MARK, type: "subscribe", payload }) }));
    socket.send(frameOf({ payload: JSON.stringify({ type: "ping", payload: { a: MARK } }) }));
    if (given === token) {
      await expect.poll(() => String(socket.received), { timeout: 20_000 }).toContain("BAD_USER_INPUT");
    }
    socket.send(frameOf({ payload: `${MARK}` }));
  }
  using malformed = rawSocket(server);
  malformed.send(`GET /${MARK} HTTP/1.1\r\n${MARK}\r\n\r\n`);
  await malformed.closed;

  const linesPerRequest = () => ids.map((id) => server.stderr.split(`"requestId":"${id}"`).length - 1);
  await expect.poll(() => Math.min(...linesPerRequest()), { timeout: 20_000 }).toBe(1);
  await server.stop();
  for (const line of server.stderr.split("\n").filter((text) => text.startsWith("{"))) {
    const entry = JSON.parse(line);
    if (entry.msg !== "request") continue;
    expect(Object.keys(entry)).toEqual(
      expect.arrayContaining(["time", "requestId", "actor", "operation", "status", "durationMs"]),
    );
  }
  const audit = await readFile(join(server.dir, "logs", "lifecycle_events.jsonl"), "utf8");
  expect(audit).toContain('"artifact_id":"c"');
  for (const spelling of SPELLINGS) {
    expect(server.stderr).not.toContain(spelling);
    expect(audit).not.toContain(spelling);
  }
  // A WebSocket has one line for its connection and one for each operation.
  expect(linesPerRequest().filter((lines) => lines !== 1).length).toBeLessThanOrEqual(2);
});
