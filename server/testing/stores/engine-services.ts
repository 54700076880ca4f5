import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import {
  type OpenedServices,
  openServices,
  type ServicesParts,
} from "../../src/app/embedded/open-services.ts";
import type { Engine } from "../../src/jobs/job-engine.ts";
import { EngineJobs, type JobsParts } from "../../src/services/job-service.ts";
import type { EngineStore } from "./engine-store.ts";

export const DEFAULT_POLICY: RetentionPolicy = { hotDays: 7, warmDays: 30, coldDays: 90 };

/** Job service of an engine, with the default policy. It ignores problems unless `parts` says otherwise. */
export function jobsOf(engine: Engine, parts: Partial<JobsParts> = {}): EngineJobs {
  return new EngineJobs({
    engine,
    policy: () => DEFAULT_POLICY,
    allowAsOf: false,
    onProblem: () => {},
    ...parts,
  });
}

/** Returns the services as the server builds them, on a store for tests. */
export function servicesOf(
  { catalog, engine }: EngineStore,
  {
    config,
    ...parts
  }: Partial<Omit<ServicesParts, "config">> & { config?: Partial<ServicesParts["config"]> } = {},
): OpenedServices {
  return openServices({
    config: {
      allowAsOf: false,
      publicUrl: null,
      maxInlineBytes: 1024 * 1024,
      maxArtifactBytes: null,
      ...config,
    },
    policy: () => DEFAULT_POLICY,
    catalog,
    engine,
    clock: engine.clock,
    storeKey: new Uint8Array(16),
    server: { version: "1.2.3", authentication: true, schedule: null, nextRunAt: () => null, graphiql: true },
    onProblem: () => {},
    ...parts,
  });
}
