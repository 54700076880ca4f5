import { requireRight, requireRightWithin, seesTenant } from "@tierkeep/schema/domain/rights";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { EventService } from "@tierkeep/schema/services/events";
import type { KeyService } from "@tierkeep/schema/services/keys";
import type { QuarantineService } from "@tierkeep/schema/services/quarantine";
import type { Services } from "@tierkeep/schema/services/services";
import type { TenantService, TierCount } from "@tierkeep/schema/services/tenants";
import type { UrlService } from "@tierkeep/schema/services/urls";
import { artifactRules } from "./artifact-rules.ts";
import { jobRules } from "./job-rules.ts";
import { emptyPage, narrowed, ofVisible, type Rules, underRules } from "./rule.ts";

/**
 * Returns the services with access control: the only place that decides access (the rights are
 * defined in the schema's rights.ts). Every request, over HTTP or a WebSocket, uses these services and no
 * others.
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

/** An event belongs to its tenant. An event of a job over several tenants has none, and needs access to all tenants. */
const eventRules: Rules<EventService> = {
  list: narrowed,
  // Only the event itself names its tenant. Cursors cannot be guessed, so the time of a lookup reveals nothing.
  getMany: async (principal, proceed, cursors) =>
    (await proceed(cursors)).map((event) =>
      event !== null && seesTenant(principal, event.tenantId) ? event : null,
    ),
  cursor: narrowed,
  follow: narrowed,
};

const NO_CONTENT: readonly TierCount[] = TIERS.map((tier) => ({
  tier,
  artifactCount: 0,
  totalBytes: 0,
  tenantCount: 0,
}));

/** Other tenants are not looked up: they appear not to exist, without content and with the default policy. */
const tenantRules: Rules<TenantService> = {
  exist: (principal, proceed, tenantIds) =>
    ofVisible(tenantIds, (tenantId) => seesTenant(principal, tenantId), proceed, false),
  workflowsExist: (principal, proceed, workflows) =>
    ofVisible(workflows, ({ tenantId }) => seesTenant(principal, tenantId), proceed, false),
  list: narrowed,
  listWorkflows: async (principal, proceed, tenantId, page) =>
    seesTenant(principal, tenantId) ? proceed(tenantId, page) : emptyPage(),
  tierCounts: narrowed,
  tierCountsOfTenants: (principal, proceed, tenantIds) =>
    ofVisible(tenantIds, (tenantId) => seesTenant(principal, tenantId), proceed, NO_CONTENT),
  tierCountsOfWorkflows: (principal, proceed, workflows) =>
    ofVisible(workflows, ({ tenantId }) => seesTenant(principal, tenantId), proceed, NO_CONTENT),
  retentionPolicies: (principal, proceed, tenantIds) =>
    proceed(
      tenantIds.map((tenantId) => (tenantId !== null && seesTenant(principal, tenantId) ? tenantId : null)),
    ),
};

/** Only administrators manage keys. They have all rights, so no key gets more rights than its creator has. */
const keyRules: Rules<KeyService> = {
  create: (principal, proceed, options) => {
    requireRight(principal, "manageKeys");
    return proceed(options);
  },
  list: (principal, proceed, page) => {
    requireRight(principal, "manageKeys");
    return proceed(page);
  },
  revoke: (principal, proceed, ...args) => {
    requireRight(principal, "manageKeys");
    return proceed(...args);
  },
};

/** A quarantined file may belong to any tenant, so only an administrator lists or deletes it. */
const quarantineRules: Rules<QuarantineService> = {
  list: (principal, proceed, limit) => {
    requireRight(principal, "manageQuarantine");
    return proceed(limit);
  },
  empty: (principal, proceed, options) => {
    requireRight(principal, "manageQuarantine");
    return proceed(options);
  },
};

/** A URL grants a right for a limited time, so creating it requires that right. */
const urlRules: Rules<UrlService> = {
  download: async (principal, proceed, key, seconds) =>
    seesTenant(principal, key.tenantId) ? proceed(key, seconds) : null,
  upload: (principal, proceed, terms, seconds) => {
    requireRightWithin(principal, "write", terms.tenantId, "tenantId");
    return proceed(terms, seconds);
  },
};
