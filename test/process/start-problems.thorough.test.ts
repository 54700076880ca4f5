import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import {
  type CommandResult,
  removeDirectory,
  runCommand,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";
import { treeOf } from "../support/storage-tree.ts";

async function serveIn(dir: string, env: Readonly<Record<string, string>>): Promise<CommandResult> {
  return await runCommand(["serve"], { cwd: dir, env: { PORT: "0", ...env } });
}

/** Expects exit code 2, nothing on stdout, and one line on stderr that contains `words`. */
function expectOneLine(result: CommandResult, ...words: (string | RegExp)[]): void {
  expect([result.code, result.stdout]).toEqual([2, ""]);
  const lines = result.stderr.trimEnd().split("\n");
  expect(lines).toEqual([expect.stringMatching(/^tierkeep: .{10,}/)]);
  for (const word of words) expect(lines[0]).toMatch(word);
  expect(lines[0]).not.toMatch(/\bat .*:\d+:\d+|Error:/);
}

async function inNewFolder(act: (dir: string) => Promise<void>): Promise<void> {
  const dir = await temporaryDirectory();
  try {
    await act(dir);
  } finally {
    await removeDirectory(dir);
  }
}

describe("an invalid setting", () => {
  const invalid = {
    PORT: "65536",
    HOST: "0.0.0.0",
    PUBLIC_URL: "tierkeep.example",
    CORS_ORIGINS: "https://app.example/path",
    HOT_RETENTION_DAYS: "a week",
    WARM_RETENTION_DAYS: "-1",
    TIERKEEP_ALLOW_AS_OF: "yes",
    DURABILITY: "none",
    PUBLISH_TREE: "1",
    MAX_INLINE_BYTES: "1 cow",
    MAX_ARTIFACT_BYTES: "0",
  };

  it("ends serve before it changes anything, with a line that names every invalid setting", async () => {
    await inNewFolder(async (dir) => {
      expectOneLine(await serveIn(dir, invalid), ...Object.keys(invalid));
      expect(treeOf(dir)).toEqual([]);
    });
  });

  it.each([
    ["COLD_RETENTION_DAYS", { COLD_RETENTION_DAYS: "29.9" }],
    ["WARM_RETENTION_DAYS", { HOT_RETENTION_DAYS: "never" }],
    ["LIFECYCLE_SCHEDULE", { LIFECYCLE_SCHEDULE: "every day" }],
  ])("is rejected as well if it contradicts another setting or cannot be parsed: %s", async (name, env) => {
    await inNewFolder(async (dir) => {
      expectOneLine(await serveIn(dir, env), name);
      expect(treeOf(dir)).toEqual([]);
    });
  });
});

describe("a setting that is known but not implemented", () => {
  const unimplemented = {
    CATALOG_URL: "postgres://u:hunter2@db/x",
    HOT_TIER_URL: "s3://bucket/hot",
    WARM_TIER_URL: "file:///srv/warm",
    COLD_TIER_URL: "s3://bucket/cold",
  };

  it("is refused, and the message does not contain its value, which may be a secret", async () => {
    await inNewFolder(async (dir) => {
      const result = await serveIn(dir, unimplemented);
      expectOneLine(result, ...Object.keys(unimplemented), /not implemented/);
      for (const value of Object.values(unimplemented)) expect(result.stderr).not.toContain(value);
      expect(treeOf(dir)).toEqual([]);
    });
  });
});

describe("serve rejects", () => {
  it.each(["STORAGE_BASE_PATH", "LOG_DIR"])(
    "%s that cannot be created because a file is in the way",
    async (name) => {
      await inNewFolder(async (dir) => {
        writeFileSync(join(dir, "file"), "");
        expectOneLine(await serveIn(dir, { [name]: join(dir, "file", "folder") }), name);
        expectOneLine(await serveIn(dir, { [name]: join(dir, "file") }), name);
        expect(readFileSync(join(dir, "file"), "utf8")).toBe("");
      });
    },
  );

  it("a port that is in use", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) =>
      other.listen(0, "127.0.0.1", () => resolve((other.address() as { port: number }).port)),
    );
    try {
      await inNewFolder(async (dir) => {
        expectOneLine(await serveIn(dir, { PORT: String(port) }), String(port), /PORT/);
        // The store was released and can be served at another port.
        await using server = await startServer({ dir });
        expect(server.url).not.toContain(`:${port}/`);
      });
    } finally {
      other.close();
    }
  });
});

describe("a store that a server owns", () => {
  it("cannot be opened again, and the message names the owner", async () => {
    await using server = await startServer();
    expectOneLine(await serveIn(server.dir, {}), server.url, String(server.pid));
    const tierkeep = createTierkeep({ url: server.url });
    expect(await tierkeep.tenants()).toMatchObject({ nodes: [] });
  });

  it("stays owned while the server is suspended, and can be opened as soon as the server is killed", async () => {
    await using server = await startServer();
    server.signal("SIGSTOP");
    expectOneLine(await serveIn(server.dir, {}), String(server.pid));
    server.signal("SIGCONT");
    expect(await createTierkeep({ url: server.url }).tenants()).toMatchObject({ nodes: [] });
    await server.kill("SIGKILL");
    await server.restart();
    expect(await createTierkeep({ url: server.url }).tenants()).toMatchObject({ nodes: [] });
  });
});

describe("a catalog", () => {
  it("of a newer version is rejected and not changed", async () => {
    await using server = await startServer();
    await server.stop();
    const path = join(server.dir, "artifacts", ".tierkeep", "catalog.db");
    const catalog = new DatabaseSync(path);
    catalog.exec("PRAGMA user_version = 1000");
    catalog.close();
    expectOneLine(await serveIn(server.dir, {}), /newer/, "1000");
    const again = new DatabaseSync(path);
    expect({ ...again.prepare("PRAGMA user_version").get() }).toEqual({ user_version: 1000 });
    again.close();
  });

  it("that is not a database is rejected and not changed", async () => {
    await inNewFolder(async (dir) => {
      mkdirSync(join(dir, "artifacts", ".tierkeep"), { recursive: true });
      const path = join(dir, "artifacts", ".tierkeep", "catalog.db");
      writeFileSync(path, "not a catalog, but a text file\n".repeat(200));
      expectOneLine(await serveIn(dir, {}), "catalog");
      expect(readFileSync(path, "utf8")).toMatch(/^not a catalog/);
    });
  });
});

describe("an invalid command line", () => {
  it.each([[["srve"]], [["lifecycle", "run"]]])("ends with exit code 2: %j", async (args) => {
    await inNewFolder(async (dir) => {
      const result = await runCommand(args, { cwd: dir });
      expect([result.code, result.stdout]).toEqual([2, ""]);
      expect(result.stderr).toMatch(/./);
      expect(treeOf(dir)).toEqual([]);
    });
  });
});
