// Measures how a hostile READER and a client without a token affect another tenant. Runs each attack against one
// server, then all of them concurrently. Times another tenant's point queries and /healthz, and the stalls of the
// server's event loop.
//
//   npm run bench -- hostile [SECONDS of each attack] [PATTERN of attacks]
import { Agent, request } from "node:http";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createTierkeep } from "@tierkeep/sdk";
import { forEachOf } from "../support/client.ts";
import { residentMiB, whileSampling } from "../support/resident-memory.ts";
import { type Server, startServer } from "../support/server.ts";
import { TOKEN_SECRET, tokenOf } from "../support/token.ts";
import { LAG_ENV, longestStallMs } from "./event-loop-lag.ts";
import { ATTACKS, type Target } from "./hostile-attacks.ts";
import { pointQuery } from "./send.ts";

const GOALS = { ratio: 10, stallMs: 200, growthMiB: 512, backSeconds: 10 };
const seconds = Number(process.argv[2] ?? 8);
const only = new RegExp(process.argv[3] ?? "");
const LARGE_ROWS = 500;
const SMALL_ROWS = 5_000;

await using server = await startServer({
  env: { AUTH_JWT_SECRET: TOKEN_SECRET, SCRUB_DAYS: "never", ...LAG_ENV },
});
const token = tokenOf();
const victim = tokenOf({ actor: "victim", role: "WRITER", tenants: ["bench"] });
const admin = createTierkeep({ url: server.url, token });
await admin.upload({ tenantId: "bench", workflowId: "w", artifactId: "a" }, "content");
const target = await seeded();

/** Writes large metadata, many rows and a large file in the attacker's tenant. */
async function seeded(): Promise<Target> {
  const metadata = { text: "x".repeat(60_000) };
  const write = (workflowId: string, artifactId: string, more: object = {}) =>
    admin.writeArtifact({ tenantId: "evil", workflowId, artifactId, content: { text: "" }, ...more });
  await forEachOf(Array(LARGE_ROWS).keys(), (n) => write("large", `a${n}`, { metadata }), 32);
  await forEachOf(Array(SMALL_ROWS).keys(), (n) => write("small", `a${n}`), 64);
  const key = { tenantId: "evil", workflowId: "w", artifactId: "file" };
  await admin.upload(key, new Uint8Array(32 * 2 ** 20));
  const made = await admin.signedDownloadUrl({ key, expiresInSeconds: 3600 });
  const { pathname, search, port } = new URL(made?.url ?? "", server.url);
  const reader = tokenOf({ actor: "reader", role: "READER", tenants: ["evil"], expiresInSeconds: 36_000 });
  return { port: Number(port || new URL(server.url).port), token: reader, signed: pathname + search };
}

interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly failed: number;
}

/** Times sequential requests until `work` is done, in ms. Counts the requests that fail. */
async function timed(once: () => Promise<void>, work: Promise<unknown>, everyMs: number): Promise<Times> {
  const taken: number[] = [];
  let failed = 0;
  let over = false;
  void work.then(() => {
    over = true;
  });
  while (!over) {
    const began = performance.now();
    await once().catch(() => {
      failed += 1;
    });
    taken.push(performance.now() - began);
    await pause(everyMs);
  }
  taken.sort((a, b) => a - b);
  const at = (part: number) => taken[Math.min(taken.length - 1, Math.floor(taken.length * part))] as number;
  return { p50: at(0.5), p99: at(0.99), max: at(1), failed };
}

const agents = { query: new Agent({ keepAlive: true }), health: new Agent({ keepAlive: true }) };

function get(to: Server, agent: Agent, path: string, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(to.url);
    const method = body === undefined ? "GET" : "POST";
    const headers = {
      authorization: `Bearer ${path === "/metrics" ? token : victim}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    };
    const sent = request({ agent, hostname, port, path, method, headers }, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      if (response.statusCode === 200) resolve(text);
      else reject(new Error(`${response.statusCode} ${text}`));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const query = JSON.stringify({ query: pointQuery("victim") });
const ask = async () => {
  const text = await get(server, agents.query, "/graphql", query);
  if (!text.includes('"checksum"')) throw new Error(text);
};
const health = async () => void (await get(server, agents.health, "/healthz"));

/**
 * Returns another tenant's wait times and the server's peak memory while `work` runs. With `writing`, artifacts are
 * written whose events the attackers follow.
 */
async function observed(work: Promise<unknown>, { writing: writes }: { writing: boolean }) {
  const since = Date.now();
  const measuring = Promise.all([timed(ask, work, 2), timed(health, work, 10)]);
  const writing = (async () => {
    let over = false;
    void work.then(() => {
      over = true;
    });
    while (writes && !over) {
      await admin
        .upload({ tenantId: "evil", workflowId: "w", artifactId: "event" }, "x".repeat(2 ** 20))
        .catch(() => {});
      await pause(500);
    }
  })();
  const { highestMiB } = await whileSampling(server.pid, () => Promise.all([work, measuring, writing]));
  const [queries, healths] = await measuring;
  return { queries, healths, highestMiB, stallMs: longestStallMs(server.dir, since) };
}

/** Returns the seconds until the server's gauges are 0 and it responds without delay. */
async function back(): Promise<number> {
  const began = performance.now();
  for (;;) {
    const asked = performance.now();
    const metrics = await get(server, agents.health, "/metrics").catch(() => "");
    const counted = ["requests_under_way", "subscriptions", "held_bytes"].map((name) =>
      Number(new RegExp(`^tierkeep_${name} (\\d+)$`, "m").exec(metrics)?.[1] ?? 1),
    );
    const isIdle = counted.every((count) => count === 0) && performance.now() - asked < 100;
    const elapsed = (performance.now() - began) / 1_000;
    if (isIdle || elapsed > 120) return elapsed;
    await pause(50);
  }
}

function shown(value: number, goal: number, digits = 1): string {
  return `${value.toFixed(digits).padStart(8)}${value > goal ? " !" : "  "}`;
}

// Wait for the background work of the seeded data.
await observed(pause(5_000), { writing: false });
await back();
const idleMiB = residentMiB(server.pid);
const quiet = await observed(pause(seconds * 1_000), { writing: false });
console.log(
  `without attack: p50 ${quiet.queries.p50.toFixed(1)} ms, p99 ${quiet.queries.p99.toFixed(1)} ms, longest stall ${quiet.stallMs} ms, idle ${idleMiB.toFixed()} MiB`,
);
console.log(
  `goals: p99 ${GOALS.ratio} times, stall ${GOALS.stallMs} ms, memory ${GOALS.growthMiB} MiB over idle, back in ${GOALS.backSeconds} s; ! marks what is over`,
);
console.log("p99 ratio   stall ms   MiB over   back in s  healthz ms  failed  attack");
const names = Object.keys(ATTACKS).filter((name) => only.test(name));
for (const attacks of [...names.map((name) => [name]), ...(names.length > 1 ? [names] : [])]) {
  const workers = attacks.map(
    (name) =>
      new Worker(new URL("./hostile-attacks.ts", import.meta.url), {
        workerData: { attacks: [name], target },
      }),
  );
  for (const worker of workers) worker.on("error", (error) => console.error(error));
  const seen = await observed(pause(seconds * 1_000), { writing: true });
  await Promise.all(workers.map((worker) => worker.terminate()));
  const after = await back();
  console.log(
    [
      shown(seen.queries.p99 / quiet.queries.p99, GOALS.ratio),
      shown(seen.stallMs, GOALS.stallMs, 0),
      shown(seen.highestMiB - idleMiB, GOALS.growthMiB, 0),
      shown(after, GOALS.backSeconds),
      seen.healths.max.toFixed(0).padStart(9),
      `${seen.queries.failed + seen.healths.failed}`.padStart(7),
      ` ${attacks.length === 1 ? attacks[0] : "all at once"}`,
    ].join(" "),
  );
}
for (const agent of Object.values(agents)) agent.destroy();
await server.stop();
