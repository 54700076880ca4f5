import { MAX_PAGE_SIZE } from "../domain/pages.ts";
import type { Services } from "../services/services.ts";
import { builder } from "./types/builder.ts";

/** The server type resolves from these parts of the services. */
const ServerType = builder.objectRef<Pick<Services, "server" | "limits">>("Server");

ServerType.implement({
  description: "The server's version, limits, and the settings that clients need.",
  fields: (t) => ({
    version: t.string({
      description: "The version of Tierkeep, such as `0.1.0`.",
      resolve: ({ server }) => server.version,
    }),
    time: t.field({
      type: "DateTime",
      description: "The current time by the server's clock.",
      resolve: (_server, _args, { reads }) => reads.now,
    }),
    authentication: t.boolean({
      description:
        "True if callers must send a token. If false, every caller has the actor `local` and the role ADMIN.",
      resolve: ({ server }) => server.authentication,
    }),
    schedule: t.string({
      nullable: true,
      description:
        "The cron expression that starts lifecycle runs, in the server's time zone. Null if there is no schedule: artifacts then move only when a caller starts a run with `runLifecycle`.",
      resolve: ({ server }) => server.schedule,
    }),
    nextRunAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When the schedule starts the next lifecycle run. Null if there is no schedule.",
      resolve: ({ server }) => server.nextRunAt(),
    }),
    maxInlineBytes: t.field({
      type: "SafeInt",
      description:
        "Largest content in bytes that `text` and `base64` return and `writeArtifact` accepts. Transfer larger content over HTTP with GET or PUT on `Artifact.downloadUrl`.",
      resolve: ({ limits }) => limits.maxInlineBytes,
    }),
    maxArtifactBytes: t.field({
      type: "SafeInt",
      nullable: true,
      description: "Largest artifact in bytes. Null if there is no limit.",
      resolve: ({ limits }) => limits.maxArtifactBytes,
    }),
    maxPageSize: t.int({
      description: "Maximum number of rows on one page of a list.",
      resolve: () => MAX_PAGE_SIZE,
    }),
    graphiql: t.boolean({
      description: "True if the server's root URL serves GraphiQL to browsers.",
      resolve: ({ server }) => server.graphiql,
    }),
  }),
});

builder.queryField("server", (t) =>
  t.field({
    needs: "read",
    type: ServerType,
    description: "The server that answers this request.",
    resolve: (_root, _args, { services }) => services,
  }),
);
