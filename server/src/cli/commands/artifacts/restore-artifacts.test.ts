import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { capturedOutput } from "../../../../testing/cli/captured-output.ts";
import { type Connection, connect } from "../../../app/connect.ts";
import { readConfig } from "../../../app/read-config.ts";
import { restoreFirst, restoreMany, restoreOne } from "./restore-artifacts.ts";

const NAMES = ["a", "b", "c"];
const keyOf = (artifactId: string) => ({ tenantId: "acme", workflowId: "wf", artifactId });
const { signal } = new AbortController();

let folder: string;
let connection: Connection;
let tierkeep: Tierkeep;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tierkeep-restore-"));
  connection = await connect(
    readConfig({
      STORAGE_BASE_PATH: join(folder, "artifacts"),
      LOG_DIR: join(folder, "logs"),
      DURABILITY: "os",
    }),
  );
  tierkeep = createTierkeep({ url: connection.url, fetch: connection.fetch });
  for (const name of NAMES) {
    await tierkeep.writeArtifact({ ...keyOf(name), tier: "WARM", content: { text: name } });
  }
});

afterEach(async () => {
  await connection.close();
  await rm(folder, { recursive: true, force: true });
});

const inHot = async () => {
  const { nodes } = await tierkeep.artifacts({ where: { tiers: ["HOT"] } });
  return nodes.map(({ artifactId }) => artifactId);
};

describe("a restore", () => {
  const options = { fromTier: "WARM", toTier: "HOT", dryRun: false } as const;
  const where = { tenantId: "acme", tiers: ["WARM"] } as const;

  it("brings back one by its name", async () => {
    const output = capturedOutput();
    await expect(restoreOne(tierkeep, keyOf("b"), options, output)).resolves.toBe(0);
    expect(output.stdout.text).toMatch(/^Restored acme\/wf\/b from WARM to HOT \(1 B, SHA-256 /);
    expect(await inHot()).toEqual(["b"]);
  });

  it("brings back the first, and dry only says so", async () => {
    const dry = capturedOutput(true);
    await restoreFirst(tierkeep, where, { ...options, dryRun: true }, dry);
    expect(JSON.parse(dry.stdout.text)).toMatchObject({
      dryRun: true,
      artifact: { artifactId: "a", tier: "WARM" },
    });
    expect(await inHot()).toEqual([]);
    await restoreFirst(tierkeep, where, options, capturedOutput());
    expect(await inHot()).toEqual(["a"]);
    await expect(
      restoreFirst(tierkeep, { tenantId: "acme", tiers: ["COLD"] }, options, capturedOutput()),
    ).rejects.toMatchObject({ code: "ARTIFACT_NOT_FOUND" });
  });

  it("brings back all that a filter finds", async () => {
    const dry = capturedOutput();
    await expect(restoreMany(tierkeep, { where }, { ...options, dryRun: true }, dry, signal)).resolves.toBe(
      0,
    );
    expect(dry.stdout.text).toBe("Would restore 3 artifacts to HOT\nNothing was changed.\n");
    expect(await inHot()).toEqual([]);
    const output = capturedOutput();
    await restoreMany(tierkeep, { where: { ...where, artifactIdPrefix: "c" } }, options, output, signal);
    expect(output.stdout.text).toBe("Restored 1 artifact to HOT\n");
    expect(await inHot()).toEqual(["c"]);
  });

  it("brings back what was chosen, tells which could not be, and ends as the job did", async () => {
    await tierkeep.restoreArtifact(keyOf("b"));
    const output = capturedOutput();
    const keys = ["a", "b", "gone"].map(keyOf);
    await expect(restoreMany(tierkeep, { keys }, options, output, signal)).resolves.toBe(1);
    expect(output.stdout.text).toBe("Restored 1 artifact to HOT, 1 was there already, 1 failed\n");
    expect(output.stderr.text).toMatch(/^acme\/wf\/gone: ARTIFACT_NOT_FOUND: /);
    const json = capturedOutput(true);
    await restoreMany(tierkeep, { keys: [keyOf("c")] }, options, json, signal);
    expect(JSON.parse(json.stdout.text)).toMatchObject({
      status: "SUCCEEDED",
      restoredCount: 1,
      toTier: "HOT",
    });
  });

  it("goes on when whoever asked for it goes away, and says how to end it", async () => {
    const output = capturedOutput();
    const interrupted = AbortSignal.abort();
    await expect(restoreMany(tierkeep, { where }, options, output, interrupted)).rejects.toThrow();
    expect(output.stderr.text).toMatch(
      /^It goes on without this command: tierkeep jobs cancel \S+ stops it\.\n$/,
    );
    await expect.poll(inHot).toEqual(NAMES);
  });
});
