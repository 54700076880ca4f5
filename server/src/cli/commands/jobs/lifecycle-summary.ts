import type { Tierkeep } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import { counted, formatBytes, formatDays, formatDuration, formatInstant } from "../../output/quantity.ts";
import { eventTable } from "../audit/show-events.ts";
import { shownPolicy, shownSchedule, TIERS } from "../store/start-facts.ts";

const NEWEST_EVENTS = 20;

/** Shows the contents of the tiers, the policy, the last lifecycle run and the newest events. Returns exit code 0. */
export async function lifecycleSummary(tierkeep: Tierkeep, output: Output): Promise<number> {
  const [server, tiers, tenants, retentionPolicy, lastJob, events] = await Promise.all([
    tierkeep.server(),
    tierkeep.tierStats(),
    tierkeep.tenants({ first: 0, withTotalCount: true }),
    tierkeep.retentionPolicy(),
    tierkeep.lastLifecycleJob(),
    tierkeep.lifecycleEventHistory({ first: NEWEST_EVENTS }),
  ]);
  const tenantCount = tenants.totalCount ?? 0;
  output.value({ server, tiers, tenantCount, retentionPolicy, lastJob, events: events.nodes });
  if (output.json) return 0;

  const { style } = output;
  const kept = [retentionPolicy.hotDays, retentionPolicy.warmDays, retentionPolicy.coldDays];
  output.table(
    [
      { head: "tier" },
      { head: "artifacts", align: "right" },
      { head: "size", align: "right" },
      { head: "tenants", align: "right" },
      { head: "leaves after", align: "right" },
    ],
    tiers.map(({ tier, artifactCount, totalBytes, tenantCount }, index) => [
      tier,
      String(artifactCount),
      formatBytes(totalBytes),
      String(tenantCount),
      formatDays(kept[index] ?? null),
    ]),
  );
  output.text(counted(tenantCount, "tenant"));
  output.text("");
  output.text(`policy: ${shownPolicy(retentionPolicy)}`);
  output.text(shownSchedule(server.schedule, server.nextRunAt));
  output.text(server.authentication ? "authentication: callers need a token" : "no authentication");
  output.text(TIERS);
  output.text(server.graphiql ? "GraphiQL: on, at the server's root" : "GraphiQL: off");
  output.text("");
  output.text(style.bold("last run"));
  if (lastJob === null) output.text("none yet: tierkeep lifecycle run --dry-run shows what a run would do");
  else {
    const duration = lastJob.durationSeconds === null ? "" : ` in ${formatDuration(lastJob.durationSeconds)}`;
    output.text(
      `${lastJob.dryRun ? "dry run" : "live run"} of ${formatInstant(lastJob.startedAt)}: ${lastJob.status}${duration}; ` +
        `${lastJob.promotedToWarm} to warm, ${lastJob.promotedToCold} to cold, ${lastJob.purged} purged, ` +
        `${counted(lastJob.totalErrors, "error")}`,
    );
    if (lastJob.error !== null) output.text(style.red(lastJob.error));
  }
  output.text("");
  output.text(style.bold("newest events"));
  if (events.nodes.length === 0) output.text("none yet");
  else eventTable(events.nodes, output);
  return 0;
}
