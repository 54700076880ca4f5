import { JOB_STATUSES } from "@tierkeep/schema/domain/jobs";
import type { Catalog } from "../../catalog/catalog.ts";
import type { Metric } from "../../http/monitoring/metrics.ts";

/** Returns metrics of the last ended live run and of the schedule. `nextRunAt`: ms since the epoch; null: no schedule. */
export async function lifecycleMetrics(
  catalog: Catalog,
  nextRunAt: number | null,
): Promise<readonly Metric[]> {
  const last = await catalog.lastFinishedLifecycleJob(false);
  const gauge = (name: string, help: string, value: Metric["value"]): Metric => ({
    name: `tierkeep_lifecycle_${name}`,
    help,
    type: "gauge",
    value,
  });
  const scheduled = gauge(
    "scheduled",
    "1 if a schedule starts lifecycle runs; 0 if runs are only started manually.",
    nextRunAt === null ? 0 : 1,
  );
  const next =
    nextRunAt === null
      ? []
      : [
          gauge(
            "next_run_timestamp_seconds",
            "When the schedule starts the next run. Absent without a schedule.",
            nextRunAt / 1000,
          ),
        ];
  if (last === null) return [scheduled, ...next];
  const outcomes = {
    promoted_to_warm: last.promotedToWarm,
    promoted_to_cold: last.promotedToCold,
    purged: last.purged,
    failed: last.totalErrors,
  };
  return [
    scheduled,
    ...next,
    gauge(
      "last_run_timestamp_seconds",
      "When the last live run ended. The last_run metrics are absent before the first run.",
      (last.finishedAt ?? 0) / 1000,
    ),
    gauge("last_run_duration_seconds", "How long the last live run took.", last.durationSeconds ?? 0),
    gauge(
      "last_run_status",
      "1 for the status with which the last live run ended, else 0.",
      JOB_STATUSES.slice(1).map((status) => ({
        labels: { status: status.toLowerCase() },
        value: last.status === status ? 1 : 0,
      })),
    ),
    gauge(
      "last_run_artifacts",
      "Artifacts that the last live run moved or purged, or that failed, by outcome.",
      Object.entries(outcomes).map(([outcome, value]) => ({ labels: { outcome }, value })),
    ),
  ];
}
