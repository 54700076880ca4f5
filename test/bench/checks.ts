// What the checks that are on by default cost a point query: the processor time of servers that have them against one
// without authentication, rates and limits of documents, in turns in one run.
//
//   npm run bench -- checks [QUERIES]
import { generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createTierkeep } from "@tierkeep/sdk";
import { removeDirectory, type Server, startServer, temporaryDirectory } from "../support/server.ts";
import { TOKEN_SECRET, tokenOf } from "../support/token.ts";
import { cpuOfEach, type Load, median, ratioOf } from "./server-cpu.ts";

const ROUNDS = 15;
const askings = Number(process.argv[2] ?? 1_500);
const key = { tenantId: "bench", workflowId: "w", artifactId: "a" };
const NONE_TO_SCRUB = { SCRUB_DAYS: "never" };
const WITHOUT = fileURLToPath(new URL("without-document-limits.mjs", import.meta.url));

const dir = await temporaryDirectory();
const es256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keySet = join(dir, "keys.json");
writeFileSync(keySet, JSON.stringify({ keys: [es256.publicKey.export({ format: "jwk" })] }));

await using off = await startServer({
  env: { ...NONE_TO_SCRUB, RATE_LIMIT: "none", RATE_LIMIT_FAILED_AUTH: "none" },
  through: ([node = "", ...command]) => [node, "--import", WITHOUT, ...command],
});
await using open = await startServer({ env: NONE_TO_SCRUB });
await using secret = await startServer({ env: { ...NONE_TO_SCRUB, AUTH_JWT_SECRET: TOKEN_SECRET } });
await using keys = await startServer({ env: { ...NONE_TO_SCRUB, AUTH_JWKS_URL: keySet } });

async function pointQueries(server: Server, token?: string): Promise<Load> {
  const tierkeep = createTierkeep({ url: server.url, token });
  await tierkeep.upload(key, "content");
  const ask = async () => {
    if ((await tierkeep.artifact(key)) === null) throw new Error("the artifact is not there");
  };
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

const costs = await cpuOfEach(
  {
    "no checks": await pointQueries(off),
    "no authentication": await pointQueries(open),
    "an API key": await pointQueries(secret, await apiKey(secret)),
    "a token by HS256": await pointQueries(secret, tokenOf()),
    "a token by ES256": await pointQueries(keys, tokenByEs256()),
  },
  { rounds: ROUNDS, askings },
);
const { "no checks": base, ...checked } = costs;
console.log(`A point query by @tierkeep/sdk, ${ROUNDS} rounds of ${askings}, processor time of the server:`);
console.log("no checks".padEnd(20), `${median(base).toFixed(0)} µs`);
for (const [name, each] of Object.entries(checked)) {
  const { ratio, from, to } = ratioOf(each, base);
  const spread = `half of the rounds from ${from.toFixed(2)} to ${to.toFixed(2)}`;
  console.log(name.padEnd(20), `${median(each).toFixed(0)} µs: ratio ${ratio.toFixed(2)} (${spread})`);
}
console.log(
  "Checks that no setting switches off are in all of them: Host and Origin, rights, sizes and times.",
);
for (const server of [off, open, secret, keys]) await server.stop();
await removeDirectory(dir);
