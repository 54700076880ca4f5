import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256 } from "../support/client.ts";
import { type Server, startServer, temporaryDirectory } from "../support/server.ts";
import { ROOT } from "./clone.ts";

const FOLDER = join(ROOT, "examples", "from-python");
const FILES = readdirSync(FOLDER).sort();

const KEY = { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" };
const CONTENT = "# Weekly report\n";

/** Prepares the store for an example, and states what the example prints. */
interface Case {
  readonly args?: readonly string[];
  prepare?(tierkeep: Tierkeep): Promise<unknown>;
  readonly prints: string | RegExp;
  check?(tierkeep: Tierkeep, folder: string): Promise<void>;
}

const write = (tierkeep: Tierkeep, tier: "HOT" | "WARM" | "COLD" = "HOT") =>
  tierkeep.upload(KEY, CONTENT, { tier, metadata: { author: "Ada" } });

const CASES: Readonly<Record<string, Case>> = {
  "write.ts": {
    prints: `created report.md ${sha256(CONTENT)}\n`,
    async check(tierkeep) {
      expect(await tierkeep.artifact(KEY)).toMatchObject({
        tier: "HOT",
        metadata: { author: "Ada", week: 48 },
      });
    },
  },
  "read.ts": { prepare: write, prints: `Ada HOT ${CONTENT}\n` },
  "list.ts": {
    async prepare(tierkeep) {
      await write(tierkeep, "WARM");
      await tierkeep.upload({ ...KEY, artifactId: "hot.md" }, "x");
    },
    prints: "weekly/report.md: 16 bytes, 0.0 days\n",
  },
  "promote.ts": { prepare: write, prints: "would move HOT to WARM\nmoved HOT to WARM\n" },
  "restore-workflow.ts": {
    async prepare(tierkeep) {
      await write(tierkeep, "WARM");
      await tierkeep.upload({ ...KEY, artifactId: "cold.md" }, "x", { tier: "COLD" });
    },
    prints: "SUCCEEDED 1 restored, 0 failed\n",
    async check(tierkeep) {
      expect((await tierkeep.artifact(KEY))?.tier).toBe("HOT");
    },
  },
  "run-lifecycle.ts": {
    prepare: write,
    prints:
      "promoted to warm: 1\npromoted to cold: 0\npurged: 0\nerrors: 0\nPROMOTE_TO_WARM acme weekly report.md PLANNED\n",
  },
  "recent-events.ts": {
    async prepare(tierkeep) {
      await write(tierkeep);
      await tierkeep.purgeArtifact(KEY);
    },
    prints: /^ARTIFACT_PURGED weekly report\.md local\nARTIFACT_WRITTEN weekly report\.md local\n/,
  },
  "stats.ts": {
    prepare: write,
    prints:
      "HOT: 1 artifacts, 16 bytes, 1 tenants\nWARM: 0 artifacts, 0 bytes, 0 tenants\nCOLD: 0 artifacts, 0 bytes, 0 tenants\n",
  },
  "find.ts": {
    prepare: (tierkeep) => write(tierkeep, "COLD"),
    prints: "COLD weekly PURGE\nweekly report.md\n",
  },
  "retention-by-tenant.ts": {
    args: [new Date(Date.now() + 10 * 24 * 60 * 60 * 1000).toISOString()],
    async prepare(tierkeep) {
      await write(tierkeep);
      await tierkeep.upload({ ...KEY, tenantId: "globex" }, "x");
    },
    prints: "acme 14 days: 0 moved\nglobex 7 days: 1 moved\n",
  },
  "back-up-cold.ts": {
    prepare: (tierkeep) => write(tierkeep, "COLD"),
    prints: "weekly report.md 16\n",
    async check(_tierkeep, folder) {
      expect(readFileSync(join(folder, "backup/acme/weekly/report.md"), "utf8")).toBe(CONTENT);
    },
  },
};

let server: Server;
let tierkeep: Tierkeep;

beforeAll(async () => {
  // A retention of almost zero makes every artifact due as soon as it is written.
  server = await startServer({ env: { HOT_RETENTION_DAYS: "0.00000001" } });
  tierkeep = createTierkeep({ url: server.url });
});

afterAll(() => server[Symbol.asyncDispose]());

describe("examples/from-python", () => {
  it("has a test case and a link in docs/migrating.md for each file", () => {
    expect(Object.keys(CASES).sort()).toEqual(FILES);
    const guide = readFileSync(join(ROOT, "docs/migrating.md"), "utf8");
    for (const file of FILES) expect(guide).toContain(`(../examples/from-python/${file})`);
  });

  it.each(Object.entries(CASES))("%s prints the expected output", async (file, example) => {
    for await (const { tenantId, workflowId, artifactId } of tierkeep.artifacts())
      await tierkeep.purgeArtifact({ tenantId, workflowId, artifactId });
    await example.prepare?.(tierkeep);
    const folder = await temporaryDirectory();
    const env = { ...process.env, TIERKEEP_URL: server.url };
    const args = [join(FOLDER, file), ...(example.args ?? [])];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env });
    expect(stdout).toMatch(example.prints);
    if (typeof example.prints === "string") expect(stdout).toBe(example.prints);
    await example.check?.(tierkeep, folder);
  });

  it("retention-by-tenant.ts moves artifacts of a tenant earlier than the server's longer policy does", async () => {
    await using strict = await startServer({ env: { HOT_RETENTION_DAYS: "14" } });
    const client = createTierkeep({ url: strict.url });
    await client.upload(KEY, CONTENT);
    await client.upload({ ...KEY, tenantId: "globex" }, "x");
    const inDays = (days: number) => new Date(Date.now() + days * 24 * 60 * 60 * 1000).toISOString();
    const wouldMove = async (days: number) =>
      (await client.runLifecycle({ dryRun: true, asOf: inDays(days), steps: ["PROMOTE_TO_WARM"] })).job
        .promotedToWarm;
    expect(await wouldMove(10)).toBe(0);
    const env = { ...process.env, TIERKEEP_URL: strict.url };
    const args = [join(FOLDER, "retention-by-tenant.ts"), inDays(10)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    expect(stdout).toBe("acme 14 days: 0 moved\nglobex 7 days: 1 moved\n");
    expect((await client.artifact({ ...KEY, tenantId: "globex" }))?.tier).toBe("WARM");
    expect(await wouldMove(15)).toBe(1);
  });
});
