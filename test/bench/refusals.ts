// Measures the processor time that a server uses to refuse a request, as a ratio to that of a point query.
// The loads alternate in one run. Each request has a new text and uses a connection that stays open.
//
//   npm run bench -- refusals [REQUESTS]
import process from "node:process";
import { createTierkeep } from "@tierkeep/sdk";
import { type Server, startServer } from "../support/server.ts";
import { TOKEN_SECRET, tokenOf } from "../support/token.ts";
import { pointQuery, type Sent, send } from "./send.ts";
import { cpuOfEach, type Load, printRatios } from "./server-cpu.ts";

const ROUNDS = 9;
const requests = Number(process.argv[2] ?? 1_000);
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

const query = pointQuery("same");
const anybody = tokenOf();
const deep = (name: string) =>
  `query ${name} { tenants { nodes { ${"workflows { nodes { ".repeat(8)}id${" } }".repeat(8)} } } }`;
const costly = (name: string) =>
  `query ${name} { tenants(first: 500) { nodes { workflows(first: 500) { nodes { workflowId } } } } }`;
const long = (name: string) => `query ${name} { viewer { ${"actor ".repeat(6_000)}} }`;

/** Returns a token with an invalid signature. */
const forged = () => `${tokenOf({ actor: unlike() })}x`;
const unknownKey = () => `tk_${Buffer.from(unlike().padStart(8)).toString("hex")}_${"A".repeat(43)}`;
const signed = () =>
  `/artifacts/bench/w/a?signed=${Buffer.from(unlike()).toString("base64url")}.${"A".repeat(43)}`;

/** The server checks one invalid token a minute and refuses the others unchecked. */
const IN_FLOOD = /RATE_LIMITED|UNAUTHENTICATED/;

function load(to: Server, each: () => Sent, expected: RegExp): Load {
  return { pid: to.pid, ask: () => send(to, each(), expected) };
}

const asUser = (query: string): Sent => ({ token: secret as string, query });

const loads = {
  "a point query": load(server, () => asUser(query), /"checksum"/),
  "a point query with a new text": load(server, () => asUser(pointQuery(unlike())), /"checksum"/),
  "too deep": load(server, () => asUser(deep(unlike())), /QUERY_TOO_COMPLEX/),
  "too many tokens": load(server, () => asUser(long(unlike())), /QUERY_TOO_COMPLEX/),
  "too costly": load(server, () => asUser(costly(unlike())), /QUERY_TOO_COMPLEX/),
  "more often than the rate": load(limited, () => ({ token: anybody, query }), /RATE_LIMITED|"data"/),
  "no credentials": load(server, () => ({ query }), /UNAUTHENTICATED/),
  "a forged token": load(server, () => ({ token: forged(), query }), /UNAUTHENTICATED/),
  "an unknown API key": load(server, () => ({ token: unknownKey(), query }), /UNAUTHENTICATED/),
  "a forged URL": load(server, () => ({ path: signed() }), /UNAUTHENTICATED/),
  "a forged token in a flood": load(flooded, () => ({ token: forged(), query }), IN_FLOOD),
  "an unknown API key in a flood": load(flooded, () => ({ token: unknownKey(), query }), IN_FLOOD),
  "a forged URL in a flood": load(flooded, () => ({ path: signed() }), IN_FLOOD),
};

const costs = await cpuOfEach(loads, { rounds: ROUNDS, requests });
console.log(`${ROUNDS} rounds of ${requests} requests, processor time of the server:`);
printRatios(costs, "a point query");
for (const each of [server, limited, flooded]) await each.stop();
