import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Folder } from "../../testing/cli/command-folder.ts";
import { tryOwn } from "../files/owner-lock.ts";
import { createLog } from "../http/monitoring/log.ts";
import { connect } from "./connect.ts";
import { findOwner, own, readOwner } from "./owner.ts";
import { readConfig } from "./read-config.ts";

const log = createLog("silent", { write: () => {} });

const configIn = (folder: Folder) =>
  readConfig({
    STORAGE_BASE_PATH: join(folder.path, "artifacts"),
    LOG_DIR: join(folder.path, "logs"),
    DURABILITY: "os",
  });

const VIEWER = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '{"query":"{ viewer { actor } }"}',
};

describe("connect", () => {
  it("opens a store without an owner, serves it, and removes owner.json when it is closed", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    const connection = await connect(config, { log });
    expect(connection.store).not.toBeNull();
    expect(await (await connection.fetch(connection.url, VIEWER)).json()).toEqual({
      data: { viewer: { actor: "local" } },
    });
    // Other processes can use it by its URL.
    expect((await fetch(connection.url, VIEWER)).status).toBe(200);
    expect((await findOwner(config))?.url).toBe(connection.url);
    await connection.close();
    await expect(fetch(connection.url, VIEWER)).rejects.toThrow();
    expect(await readOwner(config)).toBeNull();
    await stat(join(folder.path, "artifacts/.tierkeep/catalog.db"));
    await (await connect(config, { log })).close();
  });

  it("becomes the client of the process that owns the store, and sends its token", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    const owned = await own(config, { opening: "create", host: "127.0.0.1", port: 0, log });
    const connection = await connect(config, { log });
    expect([connection.url, connection.store]).toEqual([owned.url, null]);
    expect((await connection.fetch(connection.url, VIEWER)).status).toBe(200);
    await connection.close();
    expect((await fetch(owned.url, VIEWER)).status).toBe(200);
    await owned.close();
  });

  it("waits for an owner that has not written owner.json yet", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    await mkdir(join(folder.path, "artifacts/.tierkeep"), { recursive: true });
    const lock = tryOwn(join(folder.path, "artifacts/.tierkeep/owner-lock.db"));
    const connecting = connect(config, { log });
    setTimeout(() => lock?.release(), 200);
    const connection = await connecting;
    expect(connection.store).not.toBeNull();
    await connection.close();
  });

  it("uses a given URL without opening a store", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    const connection = await connect(config, { url: "http://127.0.0.1:1/graphql", log });
    expect([connection.url, connection.store]).toEqual(["http://127.0.0.1:1/graphql", null]);
    await connection.close();
    await expect(stat(join(folder.path, "artifacts"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("fails one call when the owner has ended, then uses the next owner or opens the store", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    const first = await own(config, { opening: "create", host: "127.0.0.1", port: 0, log });
    const connection = await connect(config, { log });
    const { url } = connection;
    await first.close();
    const second = await own(config, { opening: "create", host: "127.0.0.1", port: 0, log });
    const failOnceThenSucceed = async () => {
      await expect(connection.fetch(url, VIEWER)).rejects.toThrow();
      const answers = await Promise.all([connection.fetch(url, VIEWER), connection.fetch(url, VIEWER)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    };
    await failOnceThenSucceed();
    expect(connection.store).toBeNull();
    await second.close();
    await failOnceThenSucceed();
    expect(connection.store).not.toBeNull();
    // This process is the owner until the connection is closed.
    expect((await findOwner(config))?.pid).toBe(process.pid);
    await connection.close();
    expect(await readOwner(config)).toBeNull();
  });

  it("does not look for another owner when the caller aborted the call", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    const owned = await own(config, { opening: "create", host: "127.0.0.1", port: 0, log });
    const connection = await connect(config, { log });
    const signal = AbortSignal.abort();
    await expect(connection.fetch(connection.url, { ...VIEWER, signal })).rejects.toThrow(/abort/);
    await owned.close();
    await expect(connection.fetch(connection.url, VIEWER)).rejects.toThrow();
    await connection.close();
  });

  it("stops waiting for an owner when its signal aborts", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    await mkdir(join(folder.path, "artifacts/.tierkeep"), { recursive: true });
    const lock = tryOwn(join(folder.path, "artifacts/.tierkeep/owner-lock.db"));
    await expect(connect(config, { log, signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: "AbortError",
    });
    lock?.release();
  });
});
