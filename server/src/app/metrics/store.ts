import { statfs } from "node:fs/promises";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { AuditExporter } from "../../audit/exporter.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import type { Metric } from "../../http/monitoring/metrics.ts";
import type { OpenedEngine } from "../embedded/open-engine.ts";

/** Returns counts and sizes by tier. There are no samples by tenant, because their number is unlimited; the API has them. */
export async function contentMetrics(catalog: Catalog): Promise<readonly Metric[]> {
  const [held, tenants] = await Promise.all([catalog.held(), catalog.countTenants(null)]);
  const byTier = (name: string, help: string, countOf: (tier: Tier) => number): Metric => ({
    name,
    help,
    type: "gauge",
    value: TIERS.map((tier) => ({ labels: { tier: tier.toLowerCase() }, value: countOf(tier) })),
  });
  return [
    byTier("tierkeep_artifacts", "Artifacts in the store, by tier.", (tier) => held[tier].artifactCount),
    byTier(
      "tierkeep_stored_bytes",
      "Bytes of the artifacts in the store, by tier.",
      (tier) => held[tier].totalBytes,
    ),
    { name: "tierkeep_tenants", help: "Tenants in the store.", type: "gauge", value: tenants },
  ];
}

/** Returns whether writes are accepted, and the space on the store's file system if that can be read. */
export async function diskMetrics(root: string, acceptsWrites: boolean): Promise<readonly Metric[]> {
  const writable: Metric = {
    name: "tierkeep_store_writable",
    help: "1 while the store accepts writes; 0 if its disk is full, or its catalog or folder cannot be written.",
    type: "gauge",
    value: acceptsWrites ? 1 : 0,
  };
  const space = await statfs(root).catch(() => null);
  if (space === null) return [writable];
  const bytes = (name: string, help: string, blocks: number): Metric => ({
    name,
    help,
    type: "gauge",
    value: blocks * space.bsize,
  });
  return [
    writable,
    bytes(
      "tierkeep_disk_free_bytes",
      "Free space on the store's file system for the server's user.",
      space.bavail,
    ),
    bytes("tierkeep_disk_size_bytes", "Size of the store's file system.", space.blocks),
  ];
}

/** Returns metrics of background work and of the audit log. */
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
      "Artifacts whose content is still in the catalog, not yet in an object.",
      unsettled.count,
    ),
    gauge(
      "tierkeep_unsettled_bytes",
      "Bytes of content that is still in the catalog, not yet in an object.",
      unsettled.bytes,
    ),
    gauge(
      "tierkeep_backlog_bytes",
      "Bytes of acknowledged writes that wait for background work. A large backlog delays writes.",
      engine.backlogBytes,
    ),
    gauge("tierkeep_unpublished_keys", "Keys whose files in the published tree may be out of date.", dirty),
    gauge(
      "tierkeep_audit_lag_seconds",
      "Age of the oldest event that is not in the audit log yet, or 0.",
      lagSeconds,
    ),
    gauge(
      "tierkeep_audit_failing",
      "1 while the audit log cannot be written. Purges are blocked then.",
      failing ? 1 : 0,
    ),
  ];
}
