import { JOB_KINDS, JOB_STATUSES } from "../../domain/jobs.ts";
import { requirePage } from "../../domain/pages.ts";
import type { JobFilter } from "../../services/jobs.ts";
import { optionalIdentifier, optionalSubset } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { connectionOf } from "../types/connections.ts";
import { JobKindType, JobStatusType, JobType } from "./job.ts";

const JobFilterInput = builder.inputType("JobFilter", {
  description:
    "Selects jobs. A job matches if it satisfies every given field. An empty filter matches all jobs.",
  fields: (t) => ({
    tenantId: t.string({
      description: "Jobs of this tenant only. Jobs over several tenants or all tenants do not match.",
    }),
    kinds: t.field({
      type: [JobKindType],
      description: "Jobs of these kinds. An empty list: BAD_USER_INPUT.",
    }),
    statuses: t.field({
      type: [JobStatusType],
      description: "Jobs with one of these statuses. An empty list: BAD_USER_INPUT.",
    }),
  }),
});

const JobConnection = builder.connectionObject({ type: JobType, name: "JobConnection" });

builder.queryField("jobs", (t) =>
  t.connection(
    {
      needs: "read",
      type: JobType,
      description:
        "Jobs of every kind, newest first. Contains a job only if the caller may read every tenant that the job covers.",
      args: { where: t.arg({ type: JobFilterInput, description: "Which jobs to list. Default: all." }) },
      resolve: async (_root, { where, ...page }, { services, principal }) =>
        connectionOf(await services.jobs.list(principal, requireJobFilter(where), requirePage(page))),
    },
    JobConnection,
  ),
);

/** Returns a filter for the services. @throws Refused INVALID_IDENTIFIER, or BAD_USER_INPUT for an empty list */
function requireJobFilter(where: typeof JobFilterInput.$inferInput | null | undefined): JobFilter {
  return {
    tenantId: optionalIdentifier("tenantId", where?.tenantId, "where.tenantId"),
    kinds: optionalSubset(JOB_KINDS, where?.kinds, "where.kinds"),
    statuses: optionalSubset(JOB_STATUSES, where?.statuses, "where.statuses"),
  };
}
