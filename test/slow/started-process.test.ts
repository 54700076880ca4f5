import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installNode } from "../support/install-node.ts";
import { removeDirectory, type ServerOptions, startServer, temporaryDirectory } from "../support/server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let nodeDir: string;
let oldNode: string;
beforeAll(async () => {
  nodeDir = await temporaryDirectory();
  oldNode = await installNode(nodeDir, "20.20.2");
});
afterAll(() => removeDirectory(nodeDir));

/** Commands that start the server in a child of the started process. */
const STARTS: readonly [string, NonNullable<ServerOptions["through"]>][] = [
  ["a Node that is too old", ([, ...command]) => [oldNode, ...command]],
  ["npm start", () => ["npm", "--silent", "--prefix", ROOT, "start"]],
];

describe.each(STARTS)("a server started by %s", (_, through) => {
  it("exits when the started process is killed, and its store can be served again", async () => {
    const dir = await temporaryDirectory();
    const env = { STORAGE_BASE_PATH: join(dir, "artifacts"), LOG_DIR: join(dir, "logs") };
    await using server = await startServer({ dir, env, through });
    const { origin } = server;
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    // Resolves once every process that holds the server's stdout is gone.
    expect(await server.kill("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
    await expect(fetch(`${origin}/healthz`)).rejects.toThrow();
    await using next = await startServer({ dir, env });
    await next.stop();
    await removeDirectory(dir);
  });

  it("stops on SIGTERM to the started process, with exit code 0", async () => {
    const dir = await temporaryDirectory();
    const env = { STORAGE_BASE_PATH: join(dir, "artifacts"), LOG_DIR: join(dir, "logs") };
    await using server = await startServer({ dir, env, through });
    await server.stop();
    await expect(fetch(`${server.origin}/healthz`)).rejects.toThrow();
    await removeDirectory(dir);
  });
});
