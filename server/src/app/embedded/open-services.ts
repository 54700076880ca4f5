import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { ServerFacts } from "@tierkeep/schema/services/server";
import type { Services } from "@tierkeep/schema/services/services";
import type { Catalog } from "../../catalog/catalog.ts";
import type { Config } from "../../config/config.ts";
import type { Clock } from "../../engine/clock.ts";
import { basePathOf } from "../../http/base-path.ts";
import { EventCursors } from "../../services/event-cursor.ts";
import { EngineEvents } from "../../services/event-service.ts";
import { EngineJobs } from "../../services/job-service.ts";
import { EngineKeys } from "../../services/key-service.ts";
import { EngineQuarantine } from "../../services/quarantine-service.ts";
import { EngineUrls } from "../../services/signed-urls.ts";
import { EngineTenants } from "../../services/tenant-service.ts";
import type { OpenedEngine } from "./open-engine.ts";

export interface ServicesParts {
  readonly config: Pick<Config, "allowAsOf" | "publicUrl" | "maxInlineBytes" | "maxArtifactBytes">;
  /** Returns the retention policy in force. */
  readonly policy: () => RetentionPolicy;
  readonly catalog: Catalog;
  readonly engine: OpenedEngine;
  readonly clock: Clock;
  readonly storeKey: Uint8Array;
  readonly server: ServerFacts;
  readonly onStarted?: (job: Job, actor: string) => void;
  readonly onEnded?: (job: Job, actor: string) => void;
  readonly onProblem: (message: string, error?: unknown) => void;
}

export interface OpenedServices {
  readonly services: Services;
  /** The concrete classes, for the methods that only the process that owns the store calls. */
  readonly jobs: EngineJobs;
  readonly keys: EngineKeys;
  readonly urls: EngineUrls;
}

/** Builds the services on top of an engine. Unfinished jobs stay paused until `jobs.resumeJobs`. */
export function openServices({
  config,
  policy,
  catalog,
  engine,
  clock,
  storeKey,
  server,
  onProblem,
  onStarted,
  onEnded,
}: ServicesParts): OpenedServices {
  const jobs = new EngineJobs({ engine, policy, allowAsOf: config.allowAsOf, onProblem, onStarted, onEnded });
  const keys = new EngineKeys(catalog, clock);
  const basePath = basePathOf(config.publicUrl);
  const urls = new EngineUrls({ catalog, clock, keys, storeKey, basePath });
  const services: Services = {
    artifacts: engine.artifacts,
    tenants: new EngineTenants(catalog, policy),
    events: new EngineEvents(catalog, new EventCursors(catalog.epoch, storeKey)),
    jobs,
    keys,
    quarantine: new EngineQuarantine({
      catalog,
      clock,
      stores: engine.stores,
      purgeRefusal: engine.purgeRefusal,
    }),
    urls,
    basePath,
    limits: { maxInlineBytes: config.maxInlineBytes, maxArtifactBytes: config.maxArtifactBytes },
    server,
    now: () => clock.now(),
  };
  return { services, jobs, keys, urls };
}
