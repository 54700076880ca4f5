import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { afterAll, beforeAll } from "vitest";
import { type Server, startServer } from "./server.ts";

export interface SharedServer {
  readonly server: Server;
  readonly tierkeep: Tierkeep;
}

/**
 * Starts one server for all tests of a file. Each test uses its own tenants (see newTenant). Live runs accept
 * `asOf`. After the tests, the server must stop with exit code 0.
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
