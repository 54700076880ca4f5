import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { capturedOutput } from "../../../../testing/cli/captured-output.ts";
import { type Connection, connect } from "../../../app/connect.ts";
import { readConfig } from "../../../app/read-config.ts";
import { actOnMany, type BulkRun } from "./bulk.ts";
import { movingTo } from "./promote.ts";
import { purging } from "./purge.ts";

const NAMES = ["a", "b", "c"];
const keyOf = (artifactId: string) => ({ tenantId: "acme", workflowId: "w", artifactId });
const { signal } = new AbortController();

let folder: string;
let connection: Connection;
let tierkeep: Tierkeep;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tierkeep-bulk-"));
  connection = await connect(
    readConfig({
      STORAGE_BASE_PATH: join(folder, "artifacts"),
      LOG_DIR: join(folder, "logs"),
      DURABILITY: "os",
    }),
  );
  tierkeep = createTierkeep({ url: connection.url, fetch: connection.fetch });
  for (const name of NAMES) await tierkeep.writeArtifact({ ...keyOf(name), content: { text: name } });
});

afterEach(async () => {
  await connection.close();
  await rm(folder, { recursive: true, force: true });
});

const placed = async () => {
  const { nodes } = await tierkeep.artifacts();
  return nodes.map(({ artifactId, tier }) => `${artifactId} ${tier}`);
};

const run = (confirm: BulkRun["confirm"]): BulkRun => ({
  where: { tenantId: "acme" },
  dryRun: false,
  confirm,
  signal,
});

describe("an action on many artifacts", () => {
  it("changes nothing unless the answer is yes", async () => {
    const output = capturedOutput();
    const questions: string[] = [];
    const confirm = async (question: string) => {
      questions.push(question);
      return false;
    };
    await expect(actOnMany(tierkeep, purging(tierkeep), run(confirm), output)).resolves.toBe(1);
    expect(questions).toEqual(["Purge 3 artifacts of acme (3 B)? They cannot be brought back."]);
    expect(output.stderr.text).toBe("Nothing was changed.\n");
    expect(await placed()).toHaveLength(3);
  });

  it("skips those that have changed since they were listed, and reports them with exit code 4", async () => {
    const output = capturedOutput();
    const confirm = async () => {
      await tierkeep.writeArtifact({ ...keyOf("a"), content: { text: "replaced" } });
      await tierkeep.purgeArtifact({ ...keyOf("b"), dryRun: false });
      return true;
    };
    await expect(actOnMany(tierkeep, movingTo("COLD", tierkeep), run(confirm), output)).resolves.toBe(4);
    expect(output.stdout.text).toBe("Moved to COLD 1 artifact of acme (1 B), 2 skipped\n");
    expect(output.stderr.text).toMatch(/^Skipped acme\/w\/a: .*--if-checksum/m);
    expect(output.stderr.text).toMatch(/^Skipped acme\/w\/b: There is no artifact/m);
    expect(await placed()).toEqual(["a HOT", "c COLD"]);
  });

  it("stops at a failure that is not about one artifact, and says how far it came", async () => {
    const output = capturedOutput();
    const confirm = async () => {
      await connection.close();
      return true;
    };
    await expect(actOnMany(tierkeep, purging(tierkeep), run(confirm), output)).rejects.toThrow();
    expect(output.stderr.text).toBe("Purged 0 artifacts of acme (0 B), 3 left.\n");
  });
});
