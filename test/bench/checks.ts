// Measures what the default checks cost a point query. Compares the processor time of servers with the checks and of
// one without authentication, rate limits and document limits, alternately in one run.
//
//   npm run bench -- checks [QUERIES]
import { generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createTierkeep } from "@tierkeep/sdk";
import { removeDirectory, type Server, startServer, temporaryDirectory } from "../support/server.ts";
import { TOKEN_SECRET, tokenOf } from "../support/token.ts";
import { pointQuery, send } from "./send.ts";
import { cpuOfEach, type Load, median, printRatios } from "./server-cpu.ts";

/** JIT compilation differs between processes: one server can be up to 20 % slower than another as long as it runs. */
const STARTS = 7;
const ROUNDS = 5;
const queries = Number(process.argv[2] ?? 500);
const key = { tenantId: "bench", workflowId: "w", artifactId: "a" };
const LIMITS = new URL("./document-limits.mjs", import.meta.url).href;

const dir = await temporaryDirectory();
const es256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keySet = join(dir, "keys.json");
writeFileSync(keySet, JSON.stringify({ keys: [es256.publicKey.export({ format: "jwk" })] }));

// The servers start in the same way and have one load each, so they differ only in their checks.
const started = (env: Record<string, string>, limits = "") =>
  startServer({
    env: { SCRUB_DAYS: "never", ...env },
    through: ([node = "", ...command]) => [node, "--import", LIMITS + limits, ...command],
  });
async function pointQueries(server: Server, token?: string): Promise<Load> {
  await createTierkeep({ url: server.url, token }).upload(key, "content");
  const ask = () => send(server, { token, query: pointQuery("point") }, /"checksum"/);
  return { pid: server.pid, ask };
}

async function apiKey(server: Server): Promise<string> {
  const tierkeep = createTierkeep({ url: server.url, token: tokenOf() });
  const { secret } = await tierkeep.createApiKey({ role: "WRITER", tenantIds: [key.tenantId] });
  return secret as string;
}

/** Returns a token with the claims of `tokenOf`, signed with ES256. */
function tokenByEs256(): string {
  const [, claims] = tokenOf().split(".");
  const signed = `${Buffer.from('{"alg":"ES256"}').toString("base64url")}.${claims}`;
  const signature = sign("sha256", Buffer.from(signed), { key: es256.privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** Returns the cost of each load on newly started servers. */
async function measured() {
  await using off = await started({ RATE_LIMIT: "none", RATE_LIMIT_FAILED_AUTH: "none" }, "?none");
  await using open = await started({});
  await using byKey = await started({ AUTH_JWT_SECRET: TOKEN_SECRET });
  await using byHs256 = await started({ AUTH_JWT_SECRET: TOKEN_SECRET });
  await using byEs256 = await started({ AUTH_JWKS_URL: keySet });
  return await cpuOfEach(
    {
      "no checks": await pointQueries(off),
      "no authentication": await pointQueries(open),
      "an API key": await pointQueries(byKey, await apiKey(byKey)),
      "a token by HS256": await pointQueries(byHs256, tokenOf()),
      "a token by ES256": await pointQueries(byEs256, tokenByEs256()),
    },
    { rounds: ROUNDS, requests: queries },
  );
}

type Name = keyof Awaited<ReturnType<typeof measured>>;
const costs: Partial<Record<Name, readonly number[]>> = {};
for (let start = 0; start < STARTS; start += 1) {
  for (const [name, each] of Object.entries(await measured())) {
    costs[name as Name] = [...(costs[name as Name] ?? []), median(each)];
  }
}
console.log(
  `${STARTS} starts of each server, ${ROUNDS} rounds of ${queries} point queries each, processor time of the server:`,
);
printRatios(costs as Record<Name, readonly number[]>, "no checks");
console.log(
  "All servers have the checks that no setting disables: Host and Origin, rights, sizes and times.",
);
await removeDirectory(dir);
