import "./artifact/artifact-queries.ts";
import "./artifact/move-artifact.ts";
import "./artifact/purge-artifact.ts";
import "./artifact/write-artifact.ts";
import "./key/api-key-queries.ts";
import "./key/create-api-key.ts";
import "./key/revoke-api-key.ts";
import "./lifecycle/cancel-job.ts";
import "./lifecycle/confirm-reindex.ts";
import "./lifecycle/jobs.ts";
import "./lifecycle/lifecycle-event-queries.ts";
import "./lifecycle/lifecycle-event-subscription.ts";
import "./lifecycle/reindex.ts";
import "./lifecycle/restore-artifacts.ts";
import "./lifecycle/run-lifecycle.ts";
import "./lifecycle/verify-artifacts.ts";
import "./node.ts";
import "./quarantine/empty-quarantine.ts";
import "./root.ts";
import "./types/scalars.ts";
import "./server.ts";
import "./tenant/tenant-queries.ts";
import "./url/signed-urls.ts";
import "./viewer.ts";
import { builder } from "./types/builder.ts";

/** The whole API, sorted by name. Resolvers expect a GraphQLContext (see context.ts). */
export const schema = builder.toSchema();
