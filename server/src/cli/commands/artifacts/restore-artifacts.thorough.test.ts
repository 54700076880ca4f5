import type { Tierkeep } from "@tierkeep/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { capturedOutput } from "../../../../testing/cli/captured-output.ts";
import { type ClientStore, openClientStore } from "../../../../testing/cli/client-store.ts";
import { restoreFirst, restoreMany, restoreOne } from "./restore-artifacts.ts";

const NAMES = ["a", "b", "c"];
const keyOf = (artifactId: string) => ({ tenantId: "acme", workflowId: "wf", artifactId });
const { signal } = new AbortController();

let store: ClientStore;
let tierkeep: Tierkeep;

beforeEach(async () => {
  store = await openClientStore();
  tierkeep = store.tierkeep;
  for (const name of NAMES) {
    await tierkeep.writeArtifact({ ...keyOf(name), tier: "WARM", content: { text: name } });
  }
});

afterEach(() => store[Symbol.asyncDispose]());

const inHot = async () => {
  const { nodes } = await tierkeep.artifacts({ where: { tiers: ["HOT"] } });
  return nodes.map(({ artifactId }) => artifactId);
};

describe("restore", () => {
  const options = { fromTier: "WARM", toTier: "HOT", dryRun: false } as const;
  const where = { tenantId: "acme", tiers: ["WARM"] } as const;

  it("moves one artifact by its key", async () => {
    const output = capturedOutput();
    await expect(restoreOne(tierkeep, keyOf("b"), options, output)).resolves.toBe(0);
    expect(output.stdout.text).toMatch(/^Restored acme\/wf\/b from WARM to HOT \(1 B, SHA-256 /);
    expect(await inHot()).toEqual(["b"]);
  });

  it("moves the first artifact that matches, and in a dry run only reports it", async () => {
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

  it("moves all artifacts that match a filter", async () => {
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

  it("moves the chosen artifacts, lists the failed ones, and returns the job's exit code", async () => {
    await tierkeep.restoreArtifact(keyOf("b"));
    const output = capturedOutput();
    const keys = ["a", "b", "gone"].map(keyOf);
    await expect(restoreMany(tierkeep, { keys }, options, output, signal)).resolves.toBe(1);
    expect(output.stdout.text).toBe("Restored 1 artifact to HOT, 1 was already there, 1 failed\n");
    expect(output.stderr.text).toMatch(/^acme\/wf\/gone: ARTIFACT_NOT_FOUND: /);
    const json = capturedOutput(true);
    await restoreMany(tierkeep, { keys: [keyOf("c")] }, options, json, signal);
    expect(JSON.parse(json.stdout.text)).toMatchObject({
      status: "SUCCEEDED",
      restoredCount: 1,
      toTier: "HOT",
    });
  });

  it("continues on the server when the command is interrupted, and says how to cancel the job", async () => {
    const output = capturedOutput();
    const interrupted = AbortSignal.abort();
    await expect(restoreMany(tierkeep, { where }, options, output, interrupted)).rejects.toThrow();
    expect(output.stderr.text).toMatch(
      /^The job continues on the server\. To stop it: tierkeep jobs cancel \S+\n$/,
    );
    await expect.poll(inHot).toEqual(NAMES);
  });
});
