import { requireIdentifier } from "@tierkeep/schema/domain/identifiers";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Tierkeep, TierStats } from "@tierkeep/sdk";
import { NotFoundError } from "@tierkeep/sdk";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { tiersOption } from "../../options/values.ts";
import type { Output } from "../../output/output.ts";
import { formatBytes } from "../../output/quantity.ts";

interface StatsOptions {
  readonly tenant?: string | undefined;
  readonly tier?: readonly Tier[] | undefined;
}

const EXAMPLES = `
Examples:
  tierkeep stats
  tierkeep stats --tier cold
  tierkeep stats --tenant acme --json
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Shows counts and sizes of artifacts by tier, and by tenant or, with --tenant, by workflow.")
    .option("--tenant <tenant>", "only artifacts of this tenant")
    .addOption(tiersOption("--tier <tier>", "only artifacts in this tier"))
    .addHelpText("after", EXAMPLES);
  clientOptions(command).action((options: StatsOptions & ClientOptions) => {
    const { tenant, tier } = options;
    if (tenant !== undefined) requireIdentifier("tenantId", tenant, "--tenant");
    return run(() =>
      runAsClient(options, (tierkeep, output) => stats(tierkeep, { tenant, tier }, output), "reads"),
    );
  });
}

/** Counts and sizes of a tenant's or a workflow's artifacts by tier. */
interface Share {
  readonly name: string;
  readonly tiers: readonly TierStats[];
}

export async function stats(
  tierkeep: Tierkeep,
  { tenant, tier }: StatsOptions,
  output: Output,
): Promise<number> {
  const wanted = (tiers: readonly TierStats[]) =>
    tiers.filter((each) => tier === undefined || (tier as readonly string[]).includes(each.tier));
  const shares: Share[] = [];
  for await (const { name, tiers } of tenant === undefined
    ? tenantsOf(tierkeep)
    : workflowsOf(tierkeep, tenant)) {
    const share = { name, tiers: wanted(tiers) };
    if (share.tiers.some(({ artifactCount }) => artifactCount > 0)) shares.push(share);
  }
  const tiers = wanted(await tierkeep.tierStats({ tenantId: tenant }));
  const what = tenant === undefined ? "tenant" : "workflow";
  output.value({
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    tiers,
    [`${what}s`]: shares.map((share) => ({ [`${what}Id`]: share.name, tiers: share.tiers })),
  });
  if (output.json) return 0;
  output.table(
    [
      { head: "tier" },
      { head: "artifacts", align: "right", narrow: "stay" },
      { head: "size", align: "right", narrow: "stay" },
      ...(tenant === undefined ? [{ head: "tenants", align: "right" } as const] : []),
    ],
    tiers.map((each) => [
      each.tier,
      String(each.artifactCount),
      formatBytes(each.totalBytes),
      String(each.tenantCount),
    ]),
  );
  if (shares.length === 0) return 0;
  output.text("");
  output.table(
    [
      { head: what, narrow: "shorten" },
      { head: "artifacts", align: "right" },
      { head: "size", align: "right" },
      ...(tiers.length > 1 ? tiers.map((each) => ({ head: each.tier, align: "right" }) as const) : []),
    ],
    shares.map(({ name, tiers }) => [
      name,
      String(tiers.reduce((sum, { artifactCount }) => sum + artifactCount, 0)),
      formatBytes(tiers.reduce((sum, { totalBytes }) => sum + totalBytes, 0)),
      ...tiers.map(({ totalBytes, artifactCount }) => (artifactCount === 0 ? "–" : formatBytes(totalBytes))),
    ]),
  );
  return 0;
}

async function* tenantsOf(tierkeep: Tierkeep): AsyncGenerator<Share> {
  for await (const { tenantId, tierStats } of tierkeep.tenants()) yield { name: tenantId, tiers: tierStats };
}

async function* workflowsOf(tierkeep: Tierkeep, tenantId: string): AsyncGenerator<Share> {
  if ((await tierkeep.tenant({ tenantId })) === null) {
    throw new NotFoundError("NOT_FOUND", `There is no tenant ${tenantId}. tierkeep stats lists all tenants.`);
  }
  for await (const { workflowId, tierStats } of tierkeep.workflows({ tenantId })) {
    yield { name: workflowId, tiers: tierStats };
  }
}
