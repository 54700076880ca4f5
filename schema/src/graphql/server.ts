import { MAX_PAGE_SIZE } from "../domain/pages.ts";
import type { Services } from "../services/services.ts";
import { builder } from "./types/builder.ts";

/** The parts of the services that describe the server. */
const ServerType = builder.objectRef<Pick<Services, "server" | "limits">>("Server");

ServerType.implement({
  description: "The server: its version, its settings that clients need, and its limits.",
  fields: (t) => ({
    version: t.string({ description: "Version of Tierkeep.", resolve: ({ server }) => server.version }),
    time: t.field({
      type: "DateTime",
      description: "The server's clock.",
      resolve: (_server, _args, { reads }) => reads.now,
    }),
    authentication: t.boolean({
      description: "True: callers must show a token. False: every caller is the admin `local`.",
      resolve: ({ server }) => server.authentication,
    }),
    schedule: t.string({
      nullable: true,
      description:
        "The cron expression by which lifecycle runs start, in the server's time zone. Null: no run starts by itself, so artifacts move only when a run is started by hand.",
      resolve: ({ server }) => server.schedule,
    }),
    nextRunAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When the schedule starts the next lifecycle run. Null: there is no schedule.",
      resolve: ({ server }) => server.nextRunAt(),
    }),
    maxInlineBytes: t.field({
      type: "SafeInt",
      description: "Largest content in bytes that `text`, `base64` and the mutation writeArtifact carry.",
      resolve: ({ limits }) => limits.maxInlineBytes,
    }),
    maxArtifactBytes: t.field({
      type: "SafeInt",
      nullable: true,
      description: "Largest artifact in bytes. Null: there is no limit.",
      resolve: ({ limits }) => limits.maxArtifactBytes,
    }),
    maxPageSize: t.int({
      description: "Most rows that one page of a list has.",
      resolve: () => MAX_PAGE_SIZE,
    }),
    graphiql: t.boolean({
      description: "True: browsers get GraphiQL at the server's root.",
      resolve: ({ server }) => server.graphiql,
    }),
  }),
});

builder.queryField("server", (t) =>
  t.field({
    needs: "read",
    type: ServerType,
    description: "The server that answers.",
    resolve: (_root, _args, { services }) => services,
  }),
);
