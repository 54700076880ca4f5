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
  it("opens the store where nobody has it, serves it meanwhile, and leaves nothing behind but the store", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    const connection = await connect(config, { log });
    expect(connection.store).not.toBeNull();
    expect(await (await connection.fetch(connection.url, VIEWER)).json()).toEqual({
      data: { viewer: { actor: "local" } },
    });
    // Others reach it by its URL.
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

  it("waits for an owner that has not said yet who it is", async () => {
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

  it("goes to the URL that it is given, without opening anything", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    const connection = await connect(config, { url: "http://127.0.0.1:1/graphql", log });
    expect([connection.url, connection.store]).toEqual(["http://127.0.0.1:1/graphql", null]);
    await connection.close();
    await expect(stat(join(folder.path, "artifacts"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("finds the next owner, or becomes it, for the call after the one that found nobody", async () => {
    await using folder = await Folder.make();
    const config = configIn(folder);
    const first = await own(config, { opening: "create", host: "127.0.0.1", port: 0, log });
    const connection = await connect(config, { log });
    const { url } = connection;
    await first.close();
    const second = await own(config, { opening: "create", host: "127.0.0.1", port: 0, log });
    const askAgain = async () => {
      await expect(connection.fetch(url, VIEWER)).rejects.toThrow();
      const answers = await Promise.all([connection.fetch(url, VIEWER), connection.fetch(url, VIEWER)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    };
    await askAgain();
    expect(connection.store).toBeNull();
    await second.close();
    await askAgain();
    expect(connection.store).not.toBeNull();
    // It is the owner now, for as long as it lasts.
    expect((await findOwner(config))?.pid).toBe(process.pid);
    await connection.close();
    expect(await readOwner(config)).toBeNull();
  });

  it("looks for no other owner when it was the caller who ended the call", async () => {
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

  it("ends its wait for an owner when it is told to", async () => {
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
