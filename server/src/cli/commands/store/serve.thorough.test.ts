import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import packageJson from "../../../../package.json" with { type: "json" };
import type { Ended } from "../../../../prove/command-process.ts";
import { Folder } from "../../../../testing/cli/command-folder.ts";

const SLOW = 60_000;

/** Expects exit code 2, one line on stderr and nothing on stdout. */
function expectRefusal({ code, stdout, stderr }: Ended, message: RegExp): void {
  expect({ code, stdout, lines: stderr.split("\n").length }).toEqual({ code: 2, stdout: "", lines: 2 });
  expect(stderr).toMatch(/^tierkeep: /);
  expect(stderr).toMatch(message);
}

describe("tierkeep serve", () => {
  it(
    "prints one line when it is ready, keeps acknowledged writes after SIGKILL, and ends with 0 on SIGTERM",
    async () => {
      await using folder = await Folder.make();
      const ownerFile = join(folder.path, "artifacts/.tierkeep/owner.json");
      {
        await using server = folder.start(["serve"]);
        const url = await server.url();
        expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/graphql$/);
        expect(server.stderr).toContain(join(folder.path, "artifacts"));
        const written = await fetch(new URL("/artifacts/t/w/a", url), { method: "PUT", body: "kept" });
        expect(written.status).toBe(201);
        expect(JSON.parse(await readFile(ownerFile, "utf8"))).toMatchObject({ url, pid: server.child.pid });
        for (const name of ["owner.json", "config.json"]) {
          expect((await stat(join(folder.path, "artifacts/.tierkeep", name))).mode & 0o777).toBe(0o600);
        }
        server.child.kill("SIGKILL");
        await server.ended;
      }
      await using server = folder.start(["serve"]);
      const url = await server.url();
      expect(await (await fetch(new URL("/artifacts/t/w/a", url))).text()).toBe("kept");
      expect(server.stderr).not.toContain("This is a new store");
      const events = await fetch(
        `${url}?query=${encodeURIComponent("subscription { lifecycleEvents { type } }")}`,
        {
          headers: { accept: "text/event-stream" },
        },
      );
      server.child.kill("SIGTERM");
      expect(await events.text()).toContain("event: complete");
      expect(await server.ended).toMatchObject({ code: 0, stdout: `tierkeep listening on ${url}\n` });
      await expect(stat(ownerFile)).rejects.toMatchObject({ code: "ENOENT" });
      expect(await readFile(join(folder.path, "logs/lifecycle_events.jsonl"), "utf8")).toContain(
        '"artifact_written"',
      );
    },
    SLOW,
  );

  it(
    "completes requests in progress after a first signal, and ends immediately after a second",
    async () => {
      await using folder = await Folder.make();
      await using server = folder.start(["serve"]);
      const url = new URL("/artifacts/t/w/a", await server.url());
      const upload = request(url, { method: "PUT", headers: { "content-length": 10 } });
      const answered = new Promise((resolve) =>
        upload.once("response", (response) => resolve(response.resume().statusCode)),
      );
      await new Promise((resolve) => upload.write("01234", resolve));
      // When this request is answered, the server has accepted the upload before it.
      await (await fetch(new URL("/healthz", url))).text();
      server.child.kill("SIGINT");
      while (!server.stderr.includes("shutting down"))
        await new Promise((resolve) => setTimeout(resolve, 20));
      upload.end("56789");
      expect(await answered).toBe(201);
      expect(await server.ended).toMatchObject({ code: 0 });

      await using other = folder.start(["serve"]);
      const stuck = request(new URL("/artifacts/t/w/b", await other.url()), {
        method: "PUT",
        headers: { "content-length": 10 },
      });
      stuck.on("error", () => {});
      await new Promise((resolve) => stuck.write("01234", resolve));
      await (await fetch(new URL("/healthz", await other.url()))).text();
      other.child.kill("SIGTERM");
      while (!other.stderr.includes("shutting down")) await new Promise((resolve) => setTimeout(resolve, 20));
      other.child.kill("SIGTERM");
      expect((await other.ended).code).toBe(143);
    },
    SLOW,
  );

  it(
    "names the server that owns the store",
    async () => {
      await using folder = await Folder.make();
      await using server = folder.start(["serve"]);
      const url = await server.url();
      const second = await folder.run(["serve"]);
      expectRefusal(second, new RegExp(`belongs to the server at ${url} \\(process ${server.child.pid}\\)`));
      expect((await fetch(new URL("/healthz", url))).status).toBe(200);
    },
    SLOW,
  );

  it(
    "rejects a port that is in use",
    async () => {
      await using folder = await Folder.make();
      const taken = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => taken.once("listening", resolve));
      const { port } = taken.address() as AddressInfo;
      expectRefusal(
        await folder.run(["serve"], { PORT: String(port) }),
        new RegExp(`already listens at 127\\.0\\.0\\.1:${port}\\..* set PORT`),
      );
      taken.close();
    },
    SLOW,
  );

  it(
    "rejects invalid configuration and settings that are not implemented",
    async () => {
      await using folder = await Folder.make();
      const env = { PORT: "many", CATALOG_URL: "postgres://secret@db/x" };
      const refused = await folder.run(["serve"], env);
      expectRefusal(refused, /PORT is "many"/);
      expect(refused.stderr).toMatch(/CATALOG_URL is set but not implemented/);
      expect(refused.stderr).not.toContain("secret");
    },
    SLOW,
  );

  it(
    "rejects folders that cannot be written",
    async () => {
      await using folder = await Folder.make();
      await writeFile(join(folder.path, "file"), "");
      expectRefusal(
        await folder.run(["serve"], { STORAGE_BASE_PATH: "file/store" }),
        /STORAGE_BASE_PATH .*file\/store cannot be written/,
      );
      expectRefusal(await folder.run(["serve"], { LOG_DIR: "file" }), /LOG_DIR .*file cannot be written/);
    },
    SLOW,
  );

  it(
    "rejects a store of a newer version and a damaged store",
    async () => {
      await using folder = await Folder.make();
      const own = join(folder.path, "artifacts/.tierkeep");
      await mkdir(own, { recursive: true });
      await writeFile(join(own, "config.json"), JSON.stringify({ layout: 99, storeKey: "0".repeat(32) }));
      expectRefusal(await folder.run(["serve"]), /layout 99.* Use the newer version/);
      await writeFile(join(own, "config.json"), "{");
      expectRefusal(await folder.run(["serve"]), /config\.json is damaged/);
      await writeFile(join(own, "config.json"), JSON.stringify({ layout: 1, storeKey: "0".repeat(32) }));
      const catalog = new DatabaseSync(join(own, "catalog.db"));
      catalog.exec("PRAGMA user_version = 999");
      catalog.close();
      expectRefusal(await folder.run(["serve"]), /catalog\.db has format 999.* Use the newer version/);
      await writeFile(
        join(own, "catalog.db"),
        "no database at all, but longer than a header of one would be".repeat(20),
      );
      expectRefusal(await folder.run(["serve"]), /catalog\.db cannot be opened/);
    },
    SLOW,
  );

  it(
    "suggests PUBLISH_TREE=false if the tree cannot be published",
    async () => {
      await using folder = await Folder.make();
      await mkdir(join(folder.path, "artifacts"));
      await writeFile(join(folder.path, "artifacts/warm"), "a foreign file");
      expectRefusal(await folder.run(["serve"]), /warm is not a folder.*PUBLISH_TREE=false/);
      await using server = folder.start(["serve"], { PUBLISH_TREE: "false" });
      await server.url();
    },
    SLOW,
  );
});

describe("tierkeep", () => {
  it(
    "prints help with examples, and ends with 2 for unknown commands and options",
    async () => {
      await using folder = await Folder.make();
      const [help, serveHelp, unknownCommand, unknownOption] = await Promise.all([
        folder.run(["--help"]),
        folder.run(["serve", "--help"]),
        folder.run(["srve"]),
        folder.run(["serve", "--prot", "1"]),
      ]);
      expect([help.code, help.stderr]).toEqual([0, ""]);
      expect(help.stdout).toMatch(/serve .*open the store[\s\S]*Examples:/);
      expect(serveHelp.stdout).toMatch(/HOT_RETENTION_DAYS[\s\S]*Examples:/);
      for (const wrong of [unknownCommand, unknownOption]) {
        expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
        expect(wrong.stderr).toMatch(/unknown (command|option)/);
      }
    },
    SLOW,
  );

  it(
    "prints the version of its package for -v, -V, --version and version",
    async () => {
      await using folder = await Folder.make();
      const { version } = packageJson;
      expect(version).not.toBe("0.0.0");
      for (const spelling of ["-v", "-V", "--version", "version"]) {
        const { code, stdout, stderr } = await folder.run([spelling]);
        expect([spelling, code, stdout, stderr]).toEqual([spelling, 0, `${version}\n`, ""]);
      }
    },
    SLOW,
  );
});
