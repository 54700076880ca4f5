import process from "node:process";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { endpointOf } from "@tierkeep/sdk";
import { readStoreConfig } from "../app/read-config.ts";

/**
 * Returns the GraphQL endpoint of a running server: that of --url, TIERKEEP_URL, or the store's owner.
 *
 * @throws Refused UNAVAILABLE if no server runs on the store
 */
export async function serverEndpoint(url: string | undefined): Promise<string> {
  const named = url ?? (process.env.TIERKEEP_URL || undefined);
  if (named !== undefined) return endpointOf(named);
  const { findOwner } = await import("../app/owner.ts");
  const owner = await findOwner(readStoreConfig());
  if (owner !== null) return owner.url;
  throw new Refused(
    "UNAVAILABLE",
    "No server runs on this store. Start one with `tierkeep serve`, or name one with --url.",
  );
}
