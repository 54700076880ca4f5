import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { afterAll, beforeAll } from "vitest";
import { type Server, startServer } from "./server.ts";

export interface SharedServer {
  readonly server: Server;
  readonly tierkeep: Tierkeep;
}

/**
 * One server for all tests of a file, which keep out of each other's way by tenant (see newTenant). Live runs may be
 * given `asOf`. At the end it must stop in good order.
 */
export function sharedServer(env: Readonly<Record<string, string>> = {}): SharedServer {
  let server: Server | undefined;
  let tierkeep: Tierkeep | undefined;
  beforeAll(async () => {
    server = await startServer({ env: { TIERKEEP_ALLOW_AS_OF: "true", ...env } });
    tierkeep = createTierkeep({ url: server.url });
  });
  afterAll(async () => {
    try {
      await server?.stop();
    } finally {
      await server?.[Symbol.asyncDispose]();
    }
  });
  return {
    get server() {
      if (server === undefined) throw new Error("the server has not been started");
      return server;
    },
    get tierkeep() {
      if (tierkeep === undefined) throw new Error("the server has not been started");
      return tierkeep;
    },
  };
}
