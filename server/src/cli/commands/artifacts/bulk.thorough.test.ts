import type { Tierkeep } from "@tierkeep/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { capturedOutput } from "../../../../testing/cli/captured-output.ts";
import { type ClientStore, openClientStore } from "../../../../testing/cli/client-store.ts";
import { actOnMany, type BulkRun } from "./bulk.ts";
import { movingTo } from "./promote.ts";
import { purging } from "./purge.ts";

const NAMES = ["a", "b", "c"];
const keyOf = (artifactId: string) => ({ tenantId: "acme", workflowId: "w", artifactId });
const { signal } = new AbortController();

let store: ClientStore;
let tierkeep: Tierkeep;

beforeEach(async () => {
  store = await openClientStore();
  tierkeep = store.tierkeep;
  for (const name of NAMES) await tierkeep.writeArtifact({ ...keyOf(name), content: { text: name } });
});

afterEach(() => store[Symbol.asyncDispose]());

const idsAndTiers = async () => {
  const { nodes } = await tierkeep.artifacts();
  return nodes.map(({ artifactId, tier }) => `${artifactId} ${tier}`);
};

const run = (confirm: BulkRun["confirm"]): BulkRun => ({
  where: { tenantId: "acme" },
  dryRun: false,
  confirm,
  signal,
});

describe("actOnMany", () => {
  it("changes nothing unless the user confirms", async () => {
    const output = capturedOutput();
    const questions: string[] = [];
    const confirm = async (question: string) => {
      questions.push(question);
      return false;
    };
    await expect(actOnMany(tierkeep, purging(tierkeep), run(confirm), output)).resolves.toBe(1);
    expect(questions).toEqual(["Purge 3 artifacts of acme (3 B)? They cannot be restored."]);
    expect(output.stderr.text).toBe("Nothing was changed.\n");
    expect(await idsAndTiers()).toHaveLength(3);
  });

  it("skips artifacts that have changed since they were listed, and returns 4", async () => {
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
    expect(await idsAndTiers()).toEqual(["a HOT", "c COLD"]);
  });

  it("stops at an error that does not concern a single artifact, and reports its progress", async () => {
    const output = capturedOutput();
    const confirm = async () => {
      await store.connection.close();
      return true;
    };
    await expect(actOnMany(tierkeep, purging(tierkeep), run(confirm), output)).rejects.toThrow();
    expect(output.stderr.text).toBe("Purged 0 artifacts of acme (0 B), 3 left.\n");
  });
});
