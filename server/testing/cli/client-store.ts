import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { type Connection, connect } from "../../src/app/connect.ts";
import { readConfig } from "../../src/app/read-config.ts";
import type { Clock } from "../../src/engine/clock.ts";

/** A store of a test, with a client. Disposing it closes the store and deletes its folder. */
export interface ClientStore extends AsyncDisposable {
  readonly connection: Connection;
  readonly tierkeep: Tierkeep;
}

/** Opens a new store in a temporary folder of its own. */
export async function openClientStore(clock?: Clock): Promise<ClientStore> {
  const folder = await mkdtemp(join(tmpdir(), "tierkeep-client-"));
  const config = readConfig({
    STORAGE_BASE_PATH: join(folder, "artifacts"),
    LOG_DIR: join(folder, "logs"),
    DURABILITY: "os",
  });
  const connection = await connect(config, { clock });
  return {
    connection,
    tierkeep: createTierkeep({ url: connection.url, fetch: connection.fetch }),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
