// What the checks that are on by default cost a point query: the processor time of servers that have them against one
// without authentication, rates and limits of documents, in turns in one run.
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

/** Each start compiles its code in another way: one server is up to a fifth slower than the next for as long as it lives. */
const STARTS = 7;
const ROUNDS = 5;
const askings = Number(process.argv[2] ?? 500);
const key = { tenantId: "bench", workflowId: "w", artifactId: "a" };
const LIMITS = new URL("./document-limits.mjs", import.meta.url).href;

const dir = await temporaryDirectory();
const es256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keySet = join(dir, "keys.json");
writeFileSync(keySet, JSON.stringify({ keys: [es256.publicKey.export({ format: "jwk" })] }));

// Started alike and each with one load of its own, so that they differ in what they check and in nothing else.
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

/** The same claims as `tokenOf` has, signed by ES256. */
function tokenByEs256(): string {
  const [, claims] = tokenOf().split(".");
  const signed = `${Buffer.from('{"alg":"ES256"}').toString("base64url")}.${claims}`;
  const signature = sign("sha256", Buffer.from(signed), { key: es256.privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** The cost of each load with servers that are new. */
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
    { rounds: ROUNDS, askings },
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
  `${STARTS} starts of each server, ${ROUNDS} rounds of ${askings} point queries each, processor time of the server:`,
);
printRatios(costs as Record<Name, readonly number[]>, "no checks");
console.log(
  "Checks that no setting switches off are in all of them: Host and Origin, rights, sizes and times.",
);
await removeDirectory(dir);
