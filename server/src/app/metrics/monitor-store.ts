import { collectDefaultMetrics, Registry } from "prom-client";
import type { AuditExporter } from "../../audit/exporter.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import type { FolderWatch } from "../../files/folder-watch.ts";
import type { SpaceReserveKeeper } from "../../files/space-reserve.ts";
import type { HandlerParts } from "../../http/handler.ts";
import type { Health } from "../../http/monitoring/health.ts";
import type { Metric } from "../../http/monitoring/metrics.ts";
import type { Scrubber } from "../../integrity/scrubber.ts";
import type { OpenedEngine } from "../embedded/open-engine.ts";
import { lifecycleMetrics } from "./lifecycle.ts";
import type { OperationMetrics } from "./operations.ts";
import { scrubMetrics } from "./scrub.ts";
import { contentMetrics, diskMetrics, storeMetrics } from "./store.ts";

export interface MonitoredParts {
  /** The store's folder. */
  readonly root: string;
  readonly catalog: Catalog;
  readonly engine: OpenedEngine;
  readonly audit: AuditExporter;
  readonly folder: FolderWatch;
  readonly keeper: SpaceReserveKeeper;
  readonly scrubber: Scrubber | null;
  readonly operationMetrics: OperationMetrics;
  /** Adds the metrics of the process. */
  readonly isServer: boolean;
  /** ms since the epoch; null: no schedule. */
  readonly nextRunAt: () => number | null;
  readonly droppedLogLines: () => number;
  readonly isClosing: () => boolean;
}

/** Returns the checks behind /readyz and the metrics behind /metrics of an open store. */
export function monitorStore(parts: MonitoredParts): Pick<HandlerParts, "health" | "metrics"> {
  const { root, catalog, engine, audit, scrubber, operationMetrics, nextRunAt } = parts;
  const registries = [operationMetrics.registry, ...(parts.isServer ? [processMetrics()] : [])];
  return {
    health: () => healthOf(parts),
    metrics: async () => ({
      metrics: [
        ...(await contentMetrics(catalog)),
        ...(await diskMetrics(root, acceptsWrites(await healthOf(parts)))),
        ...(await lifecycleMetrics(catalog, nextRunAt())),
        ...(await storeMetrics(catalog, engine, audit)),
        droppedLines(parts.droppedLogLines()),
        ...(await scrubMetrics(catalog, scrubber)),
      ],
      registries,
    }),
  };
}

async function healthOf({ catalog, folder, keeper, isClosing }: MonitoredParts): Promise<Health> {
  const problem = await catalog.lastSeq().then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const shutdown = isClosing() ? "the server is shutting down" : null;
  return {
    checks: { catalog: problem, storage: (await folder.problem()) ?? keeper.problem, shutdown },
  };
}

function acceptsWrites({ checks }: Health): boolean {
  return Object.values(checks).every((problem) => problem === null);
}

function droppedLines(value: number): Metric {
  const help = "Log lines dropped because stderr did not accept them.";
  return { name: "tierkeep_log_lines_dropped_total", help, type: "counter", value };
}

let processRegistry: Registry | null = null;

/** CPU, memory, file handles, garbage collection and event loop lag of this process, by prom-client's own collectors. */
function processMetrics(): Registry {
  if (processRegistry === null) {
    processRegistry = new Registry();
    collectDefaultMetrics({ register: processRegistry });
  }
  return processRegistry;
}
