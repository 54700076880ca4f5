import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Folder } from "../../testing/cli/command-folder.ts";
import { findOwner } from "./owner.ts";
import { readConfig } from "./read-config.ts";

const configIn = (folder: Folder) =>
  readConfig({
    STORAGE_BASE_PATH: join(folder.path, "artifacts"),
    LOG_DIR: join(folder.path, "logs"),
    DURABILITY: "os",
  });

describe("findOwner", () => {
  it("does not send the token to a server that cannot prove to know it", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    const received: string[] = [];
    const other = createServer((request, response) => {
      received.push(`${request.url} ${JSON.stringify(request.headers)}`);
      response.setHeader("content-type", "application/json").end('{"instance":"i","proof":"00"}');
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    const owner = {
      url: `http://127.0.0.1:${port}/graphql`,
      instance: "i",
      version: "0",
      token: "the-token",
      pid: 1,
    };
    await mkdir(join(folder.path, "artifacts/.tierkeep"), { recursive: true });
    await writeFile(join(folder.path, "artifacts/.tierkeep/owner.json"), JSON.stringify(owner));
    expect(await findOwner(config)).toBeNull();
    expect(received).toHaveLength(1);
    expect(received[0]).not.toContain("the-token");
    other.closeAllConnections();
    other.close();
    expect(await findOwner(config)).toBeNull();
  });
});
