import process from "node:process";
import type { AuditExporter } from "../audit/exporter.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { OpenedEngine } from "../engine/open-engine.ts";
import type { Metric } from "../http/metrics.ts";

/** How far the store is behind with what it has answered, and how the process fares. */
export async function storeMetrics(
  catalog: Catalog,
  engine: OpenedEngine,
  audit: AuditExporter,
): Promise<readonly Metric[]> {
  const [unsettled, dirty] = await Promise.all([catalog.unsettledTotal(), catalog.dirtyCount()]);
  const { lagSeconds, failing } = audit.health();
  const gauge = (name: string, help: string, value: number): Metric => ({ name, help, type: "gauge", value });
  return [
    gauge(
      "tierkeep_unsettled_artifacts",
      "Artifacts whose bytes ride in the catalog and have no file yet.",
      unsettled.count,
    ),
    gauge(
      "tierkeep_unsettled_bytes",
      "Bytes that ride in the catalog and have no file yet.",
      unsettled.bytes,
    ),
    gauge("tierkeep_backlog_bytes", "The same, as writers are held back by it.", engine.backlogBytes),
    gauge("tierkeep_unpublished_keys", "Keys whose place in the published tree may be behind.", dirty),
    gauge(
      "tierkeep_audit_lag_seconds",
      "How long the oldest event has waited that is not in the audit log yet.",
      lagSeconds,
    ),
    gauge(
      "tierkeep_audit_failing",
      "1 while the audit log cannot be written, and nothing is purged.",
      failing ? 1 : 0,
    ),
    gauge("process_resident_memory_bytes", "Resident memory of the server.", process.memoryUsage.rss()),
    gauge("process_uptime_seconds", "How long the server has run.", process.uptime()),
  ];
}
