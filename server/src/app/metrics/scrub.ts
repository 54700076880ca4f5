import type { Catalog } from "../../catalog/catalog.ts";
import type { Metric } from "../../http/monitoring/metrics.ts";
import type { Scrubber } from "../../integrity/scrubber.ts";

/** Returns metrics of damaged artifacts and of the scrubber. */
export async function scrubMetrics(catalog: Catalog, scrubber: Scrubber | null): Promise<readonly Metric[]> {
  const damaged: Metric = {
    name: "tierkeep_damaged_artifacts",
    help: "Artifacts whose content is damaged or missing and has not been replaced or repaired.",
    type: "gauge",
    value: await catalog.damagedCount(),
  };
  if (scrubber === null) return [damaged];
  const { artifacts, bytes, findings, progress, lastPassEndedAt } = scrubber.figures;
  const counter = (name: string, help: string, value: number): Metric => ({
    name,
    help,
    type: "counter",
    value,
  });
  return [
    damaged,
    counter(
      "tierkeep_scrub_artifacts_total",
      "Artifacts that the scrubber has read and verified.",
      artifacts,
    ),
    counter("tierkeep_scrub_bytes_total", "Bytes that the scrubber has read and verified.", bytes),
    counter(
      "tierkeep_scrub_findings_total",
      "Problems that the scrubber found for the first time.",
      findings,
    ),
    {
      name: "tierkeep_scrub_pass_progress",
      help: "Progress of the scrubber's current pass, from 0 to 1.",
      type: "gauge",
      value: progress,
    },
    {
      name: "tierkeep_scrub_last_pass_timestamp_seconds",
      help: "When the scrubber last completed a pass, or 0 before the first one.",
      type: "gauge",
      value: (lastPassEndedAt ?? 0) / 1000,
    },
  ];
}
