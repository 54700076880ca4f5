import type { Services } from "@tierkeep/schema/services/services";
import { artifactRules } from "./artifact-rules.ts";
import { eventRules } from "./event-rules.ts";
import { jobRules } from "./job-rules.ts";
import { keyRules } from "./key-rules.ts";
import { quarantineRules } from "./quarantine-rules.ts";
import { underRules } from "./rule.ts";
import { tenantRules } from "./tenant-rules.ts";
import { urlRules } from "./url-rules.ts";

/**
 * The services as principals may use them: the one place that says who may do what (the rules themselves are in the
 * schema's rights.ts). Everything that comes in over HTTP, with a socket or without, gets these and no others.
 */
export function guarded(services: Services): Services {
  return {
    artifacts: underRules(services.artifacts, artifactRules),
    tenants: underRules(services.tenants, tenantRules),
    events: underRules(services.events, eventRules),
    jobs: underRules(services.jobs, jobRules(services.jobs)),
    keys: underRules(services.keys, keyRules),
    quarantine: underRules(services.quarantine, quarantineRules),
    urls: underRules(services.urls, urlRules),
    basePath: services.basePath,
    limits: services.limits,
    server: services.server,
    now: services.now,
  };
}
