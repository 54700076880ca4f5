import process from "node:process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { ask } from "../support/client.ts";
import { sendRaw } from "../support/raw-http.ts";
import { frameOf, rawSocket, webSocketHandshake } from "../support/raw-socket.ts";
import { residentMiB } from "../support/resident-memory.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { type Server, startServer } from "../support/server.ts";
import { documentFrom, mutated, NASTY } from "./generated-documents.ts";

const RUNS = Number(process.env.FUZZ_RUNS ?? 200);
/** Number of requests that each run sends concurrently. */
const CONCURRENT = 10;

const errorsIn = ({ stderr }: Server) =>
  stderr.split("\n").filter((line) => line.includes('"level":"error"'));

type Send = (server: Server) => Promise<string>;

const tape = (maxLength: number) => fc.array(fc.nat(1_000_000), { maxLength });
const mutations = fc.oneof({ weight: 2, arbitrary: fc.constant<number[]>([]) }, tape(12));
const nasty = fc.constantFrom(...NASTY);
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  nasty.map((value) => (typeof value === "string" ? value : JSON.stringify(value))),
);
/** Header values that fetch's Headers accept. */
const headerValue = text.map((value) => value.replaceAll(/[^\x20-\x7e]/g, "~"));

/** Returns the status and the body of a response. Of an event stream, only the status. */
async function responseText(response: Response): Promise<string> {
  const type = response.headers.get("content-type") ?? "";
  if (!type.startsWith("text/event-stream")) return `${response.status} ${await response.text()}`;
  await response.body?.cancel();
  return `${response.status}`;
}

const send = (path: string, init: RequestInit) => async (server: Server) =>
  responseText(await fetch(`${server.origin}${path}`, { ...init, signal: AbortSignal.timeout(30_000) }));

const graphql = fc
  .record({
    tape: tape(60),
    mutations,
    variables: fc.oneof(
      fc.dictionary(fc.constantFrom("v", "n", "ids", "__proto__", "constructor"), nasty),
      fc.jsonValue() as fc.Arbitrary<unknown>,
    ),
    accept: fc.constantFrom(
      "application/json",
      "application/graphql-response+json",
      "text/event-stream",
      "*/*",
      "x",
    ),
    get: fc.boolean(),
    more: fc.dictionary(
      fc.constantFrom(
        "last-event-id",
        "x-request-id",
        "idempotency-key",
        "authorization",
        "content-language",
      ),
      headerValue,
      { maxKeys: 2 },
    ),
  })
  .map(({ tape, mutations, variables, accept, get, more }): Send => {
    const query = mutated(documentFrom(tape), mutations);
    const headers = { accept, ...more };
    const parameters = new URLSearchParams({
      query: query.slice(0, 20_000),
      variables: JSON.stringify(variables) ?? "",
    });
    if (get) return send(`/graphql?${parameters}`, { headers });
    return send("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query, variables }),
    });
  });

const PARTS = `--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{"query":"{ viewer { actor } }"}\r\n--x\r\ncontent-disposition: form-data; name="map"\r\n\r\n{"0":["variables.file"]}\r\n--x\r\ncontent-disposition: form-data; name="0"; filename="a"\r\n\r\nbytes\r\n--x--\r\n`;

const body = fc
  .record({
    base: fc.constantFrom(
      '{"query":"{ viewer { actor } }","variables":{"a":[1]},"extensions":{}}',
      "[{}]",
      PARTS,
      "query=%7Ba%7D",
    ),
    tape: tape(12),
    type: fc.oneof(
      fc.constantFrom(
        "application/json",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/graphql",
        "application/json; charset=utf-16",
      ),
      headerValue,
    ),
  })
  .map(({ base, tape, type }) =>
    send("/graphql", { method: "POST", headers: { "content-type": type }, body: mutated(base, tape) }),
  );

const artifact = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "PUT", "DELETE"),
    names: fc.array(fc.oneof(fc.constantFrom("acme", "w", "a"), text), { minLength: 1, maxLength: 4 }),
    query: fc.oneof(
      fc.constantFrom("", "?tier=WARM", "?tier=x&tier=y"),
      text.map((value) => `?${encodeURIComponent(value.toWellFormed())}`),
    ),
    headers: fc.dictionary(
      fc.constantFrom(
        "range",
        "if-range",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "content-type",
        "tierkeep-metadata",
        "repr-digest",
        "idempotency-key",
        "content-encoding",
      ),
      fc.oneof(
        headerValue,
        fc.constantFrom(
          "bytes=0-",
          "bytes=-1",
          "bytes=5-1",
          "*",
          '"x"',
          "eyJhIjoxfQ",
          "sha-256=:AA==:",
          "Tue, 24 Nov 2026 17:00:00 GMT",
        ),
      ),
    ),
    content: text,
  })
  .map(({ method, names, query, headers, content }) =>
    send(`/artifacts/${names.map((name) => encodeURIComponent(name.toWellFormed())).join("/")}${query}`, {
      method,
      headers,
      ...(method === "PUT" && { body: content }),
    }),
  );

/** Sends bytes, closes the sending side, and returns everything that the server sends. */
async function exchange(server: Server, bytes: readonly (string | Uint8Array)[]): Promise<string> {
  using socket = rawSocket(server);
  for (const each of bytes) socket.send(each);
  socket.finish();
  await socket.closed;
  return String(socket.received);
}

const REQUESTS = [
  "GET /artifacts/acme/w/a HTTP/1.1\r\nhost: localhost\r\nrange: bytes=0-1\r\n\r\n",
  'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 32\r\n\r\n{"query":"{ viewer { actor } }"}',
  "PUT /artifacts/acme/w/raw HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost\r\n\r\n",
];

const http = fc.record({ base: fc.constantFrom(...REQUESTS), tape: tape(15) }).map(
  ({ base, tape }): Send =>
    (server) =>
      exchange(server, [mutated(base, tape)]),
);

const MESSAGES = [
  '{"type":"connection_init","payload":{"authorization":"Bearer x"}}',
  '{"type":"ping","payload":{}}',
  '{"id":"1","type":"subscribe","payload":{"query":"{ viewer { actor } }","variables":{"v":"x"},"operationName":"Q"}}',
  '{"id":"1","type":"subscribe","payload":{"query":"subscription { lifecycleEvents { id } }"}}',
  '{"id":"1","type":"complete"}',
];

const frame = fc
  .record(
    {
      payload: fc
        .record({ base: fc.constantFrom(...MESSAGES), mutations })
        .map(({ base, mutations }) => mutated(base, mutations)),
      opcode: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.nat(15)),
      fin: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.boolean()),
      masked: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.boolean()),
      reserved: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(7)),
      claims: fc.nat(100_000),
    },
    { requiredKeys: ["payload", "opcode", "fin", "masked", "reserved"] },
  )
  .map(frameOf);

const webSocket = fc.array(frame, { maxLength: 8 }).map(
  (frames): Send =>
    (server) =>
      exchange(server, [webSocketHandshake(), frameOf({ payload: MESSAGES[0] as string }), ...frames]),
);

const anything = fc.oneof(
  { weight: 6, arbitrary: graphql },
  { weight: 1, arbitrary: body },
  { weight: 2, arbitrary: artifact },
  { weight: 1, arbitrary: http },
  { weight: 2, arbitrary: webSocket },
);

it("a server never responds with 500 or INTERNAL to random requests, stays up, and does not grow in memory", {
  timeout: 300_000,
}, async () => {
  const { seed } = seededRandom();
  await using server = await startServer();
  const fuzz = (runs: number, from: number) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(anything, { minLength: CONCURRENT, maxLength: CONCURRENT }),
        async (cases) => {
          const answers = await Promise.all(cases.map((one) => one(server)));
          for (const answer of answers) {
            expect(answer).not.toMatch(/^(?:HTTP\/1\.1 )?500/);
            expect(answer).not.toContain('"INTERNAL"');
          }
          expect(errorsIn(server)).toEqual([]);
        },
      ),
      { seed: from, numRuns: runs, endOnFailure: process.env.FUZZ_SHRINK === undefined },
    );
  await fuzz(Math.ceil(RUNS / 2), seed);
  const warm = residentMiB(server.pid);
  await fuzz(RUNS, seed + 1);
  await fuzz(RUNS, seed + 2);
  const after = residentMiB(server.pid);
  const gauges = async () => String((await sendRaw(server, { path: "/metrics" })).body);
  await expect.poll(gauges, { timeout: 30_000 }).toMatch(/^tierkeep_requests_under_way 0$/m);
  expect(await gauges()).toMatch(/^tierkeep_subscriptions 0$/m);
  expect((await ask(server, "{ viewer { actor } }")).errors).toEqual([]);
  expect(after).toBeLessThan(warm * 1.5 + 100);
  console.info(
    `${Math.ceil(RUNS * 2.5) * CONCURRENT} cases (seed ${seed}): ${warm.toFixed()} MiB resident after a fifth of the cases, ${after.toFixed()} MiB at the end`,
  );
});
