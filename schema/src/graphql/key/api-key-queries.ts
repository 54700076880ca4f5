import { requirePage } from "../../domain/pages.ts";
import { builder } from "../types/builder.ts";
import { connectionOf } from "../types/connections.ts";
import { ApiKeyConnection, ApiKeyType } from "./api-key.ts";

builder.queryFields((t) => ({
  apiKeys: t.connection(
    {
      type: ApiKeyType,
      needs: "manageKeys",
      description: "API keys, newest first, including revoked and expired keys. Needs ADMIN.",
      resolve: async (_root, args, { services, principal }) =>
        connectionOf(await services.keys.list(principal, requirePage(args))),
    },
    ApiKeyConnection,
  ),
}));
