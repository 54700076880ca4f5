import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createTierkeep, type Tier } from "@tierkeep/sdk";
import { startServer, temporaryDirectory } from "../support/server.ts";

/** A store at rest, to be copied. */
export interface Seed {
  readonly dir: string;
  /** Of the one lifecycle run that there has been, dry. */
  readonly jobId: string;
}

/** Ages are seconds in tests: with this policy everything is due at once. */
export const EVERYTHING_DUE = {
  HOT_RETENTION_DAYS: "0",
  WARM_RETENTION_DAYS: "0.000000001",
  COLD_RETENTION_DAYS: "0.000000002",
};

/** Names and metadata that try to confuse a terminal; a key that no narrow one can hold. */
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

/** A folder with a copy of the store: the published tree is still hard links to its objects, which only `cp` keeps. */
export async function copyOf({ dir }: Seed): Promise<string> {
  const copy = await temporaryDirectory();
  await promisify(execFile)("cp", ["-a", `${dir}/.`, copy]);
  return copy;
}
