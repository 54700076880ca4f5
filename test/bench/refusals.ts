// What it costs a server to refuse what is not to be had, as ratios of its processor time to that of a point query, in
// turns in one run. Each request is new to the server, down to its text, and on a connection that stays open.
//
//   npm run bench -- refusals [REQUESTS]
import { Agent, request } from "node:http";
import process from "node:process";
import { createTierkeep } from "@tierkeep/sdk";
import { type Server, startServer } from "../support/server.ts";
import { TOKEN_SECRET, tokenOf } from "../support/token.ts";
import { cpuOfEach, type Load, median, ratioOf } from "./server-cpu.ts";

const ROUNDS = 9;
const askings = Number(process.argv[2] ?? 1_000);
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const key = { tenantId: "bench", workflowId: "w", artifactId: "a" };
const ENV = { SCRUB_DAYS: "never", AUTH_JWT_SECRET: TOKEN_SECRET, RATE_LIMIT_FAILED_AUTH: "none" };

await using server = await startServer({ env: ENV });
await using limited = await startServer({ env: { ...ENV, RATE_LIMIT: "1", RATE_LIMIT_BURST: "1" } });
await using flooded = await startServer({ env: { ...ENV, RATE_LIMIT_FAILED_AUTH: "1" } });

const admin = createTierkeep({ url: server.url, token: tokenOf() });
await admin.upload(key, "content");
const { secret } = await admin.createApiKey({ role: "WRITER", tenantIds: [key.tenantId] });

let number = 0;
function unlike(): string {
  number += 1;
  return `n${number}`;
}

interface Sent {
  readonly token?: string;
  readonly query?: string;
  readonly path?: string;
}

/** Sends a request until its end; @throws where the answer is another one than is measured */
function send(to: Server, { token, query, path = "/graphql" }: Sent, expected: RegExp): Promise<void> {
  const body = query === undefined ? undefined : JSON.stringify({ query });
  const { hostname, port } = new URL(to.url);
  return new Promise((resolve, reject) => {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    };
    const method = body === undefined ? "GET" : "POST";
    const sent = request({ agent, hostname, port, path, method, headers }, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      if (expected.test(text)) resolve();
      else reject(new Error(`${response.statusCode} ${text.slice(0, 300)}, and not ${expected.source}`));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const good = { token: secret as string };
const anybody = { token: tokenOf() };
const point = (name: string) =>
  `query ${name} { artifact(tenantId: "bench", workflowId: "w", artifactId: "a") { id sizeBytes checksum tier } }`;
const deep = (name: string) =>
  `query ${name} { tenants { nodes { ${"workflows { nodes { ".repeat(8)}id${" } }".repeat(8)} } } }`;
const costly = (name: string) =>
  `query ${name} { tenants(first: 500) { nodes { workflows(first: 500) { nodes { workflowId } } } } }`;
const long = (name: string) => `query ${name} { viewer { ${"actor ".repeat(6_000)}} }`;

/** Signed with another secret than the server's. */
const forged = () => `${tokenOf({ actor: unlike() })}x`;
const unknownKey = () => `tk_${Buffer.from(unlike().padStart(8)).toString("hex")}_${"A".repeat(43)}`;
const signed = () =>
  `/artifacts/bench/w/a?signed=${Buffer.from(unlike()).toString("base64url")}.${"A".repeat(43)}`;

/** One a minute is looked at. */
const IN_FLOOD = /RATE_LIMITED|UNAUTHENTICATED/;

function load(to: Server, each: () => Sent, expected: RegExp): Load {
  return { pid: to.pid, ask: () => send(to, each(), expected) };
}

const loads = {
  "a point query": load(server, () => ({ ...good, query: point("same") }), /"checksum"/),
  "a point query in a text of its own": load(
    server,
    () => ({ ...good, query: point(unlike()) }),
    /"checksum"/,
  ),
  "too deep": load(server, () => ({ ...good, query: deep(unlike()) }), /QUERY_TOO_COMPLEX/),
  "too many tokens": load(server, () => ({ ...good, query: long(unlike()) }), /QUERY_TOO_COMPLEX/),
  "too costly": load(server, () => ({ ...good, query: costly(unlike()) }), /QUERY_TOO_COMPLEX/),
  "more often than the rate": load(
    limited,
    () => ({ ...anybody, query: point("same") }),
    /RATE_LIMITED|"data"/,
  ),
  "no credentials": load(server, () => ({ query: point("same") }), /UNAUTHENTICATED/),
  "a forged token": load(server, () => ({ token: forged(), query: point("same") }), /UNAUTHENTICATED/),
  "an unknown API key": load(
    server,
    () => ({ token: unknownKey(), query: point("same") }),
    /UNAUTHENTICATED/,
  ),
  "a forged URL": load(server, () => ({ path: signed() }), /UNAUTHENTICATED/),
  "a forged token in a flood": load(flooded, () => ({ token: forged(), query: point("same") }), IN_FLOOD),
  "an unknown API key in a flood": load(
    flooded,
    () => ({ token: unknownKey(), query: point("same") }),
    IN_FLOOD,
  ),
  "a forged URL in a flood": load(flooded, () => ({ path: signed() }), IN_FLOOD),
};

const costs = await cpuOfEach(loads, { rounds: ROUNDS, askings });
const base = costs["a point query"];
console.log(`${ROUNDS} rounds of ${askings} requests, processor time of the server:`);
for (const [name, each] of Object.entries(costs)) {
  const { ratio, from, to } = ratioOf(each, base);
  const spread = `half of the rounds from ${from.toFixed(2)} to ${to.toFixed(2)}`;
  console.log(
    name.padEnd(36),
    `${median(each).toFixed(0).padStart(5)} µs: ratio ${ratio.toFixed(2)} (${spread})`,
  );
}
agent.destroy();
for (const each of [server, limited, flooded]) await each.stop();
