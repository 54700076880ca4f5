import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createTierkeep, type Tier } from "@tierkeep/sdk";
import { startServer, temporaryDirectory } from "../support/server.ts";

/** A closed store, which tests copy. */
export interface Seed {
  readonly dir: string;
  /** Id of the store's only lifecycle run, a dry run. */
  readonly jobId: string;
}

/** A policy by which every artifact is due immediately. */
export const EVERYTHING_DUE = {
  HOT_RETENTION_DAYS: "0",
  WARM_RETENTION_DAYS: "0.000000001",
  COLD_RETENTION_DAYS: "0.000000002",
};

/** Includes wide characters, and keys that are longer than a line. */
const ARTIFACTS: readonly (readonly [
  tenant: string,
  workflow: string,
  artifact: string,
  tier: Tier,
  text: string,
])[] = [
  ...["a", "b", "c"].flatMap((copy) => [
    [
      "acme",
      "nightly-regression-of-everything",
      `coverage-report-${copy}.html`,
      "HOT",
      "<p>".repeat(5_000),
    ] as const,
    ["acme", "weekly", `report-${copy}.md`, "WARM", "# Report\n"] as const,
    ["acme", "weekly", `model-${copy}.bin`, "COLD", "weights"] as const,
  ]),
  ["東京", "週報", "まとめ.txt", "HOT", "良い"],
];

/** Creates the store with a server, then stops the server. */
export async function seedStore(): Promise<Seed> {
  const dir = await temporaryDirectory();
  await using server = await startServer({ dir, env: EVERYTHING_DUE });
  const tierkeep = createTierkeep({ url: server.url });
  for (const [tenantId, workflowId, artifactId, tier, text] of ARTIFACTS) {
    const metadata = { title: "\u001b]0;owned\u0007", author: "Zoë" };
    await tierkeep.writeArtifact({ tenantId, workflowId, artifactId, tier, content: { text }, metadata });
  }
  const { job } = await tierkeep.runLifecycle({ dryRun: true, tenantId: "acme" });
  await server.stop();
  return { dir, jobId: job.id };
}

/** Copies the store to a new folder with `cp -a`, which keeps hard links between the published tree and the objects. */
export async function copyOf({ dir }: Seed): Promise<string> {
  const copy = await temporaryDirectory();
  await promisify(execFile)("cp", ["-a", `${dir}/.`, copy]);
  return copy;
}
