import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { COMMAND, removeDirectory, runCommand, startServer, temporaryDirectory } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";
import { objectWith } from "../support/storage-tree.ts";

const shared = sharedServer();
let dir: string;

beforeEach(async () => {
  dir = await temporaryDirectory();
});

afterEach(async () => {
  await removeDirectory(dir);
});

/** Without fsync: these tests do not cover power failures. */
const ENV = { DURABILITY: "os" };

const run = (...args: string[]) => runCommand(args, { cwd: dir, env: ENV });
const runRemote = (...args: string[]) => run(...args, "--url", shared.server.url);

/** Binary content that is larger than the buffers of pipes and sockets. */
const LARGE = Buffer.alloc(3_000_000, "\u0000 large");

/** A command in a process of its own. Disposing it kills the process. */
class Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<number | null>;

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [COMMAND, ...args], {
      cwd: dir,
      env: { PATH: process.env.PATH, ...ENV },
    });
    // Writing to a command that has ended is an error.
    this.child.stdin.on("error", () => {});
    this.ended = once(this.child, "exit").then(([code]) => code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

describe("an artifact of any size", () => {
  it("is written from a file or stdin, and read to stdout or into a file, without a changed byte", async () => {
    await writeFile(join(dir, "large.bin"), LARGE);
    expect(await run("write", "acme/weekly/large.bin", "large.bin", "--tier", "cold")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Wrote acme\/weekly\/large\.bin in COLD \(2\.86 MiB, /),
      stderr: "",
    });
    await using writing = new Running("write", "acme/weekly/piped.bin", "-");
    writing.child.stdin.end(LARGE);
    expect(await writing.ended).toBe(0);
    await using reading = new Running("read", "acme/weekly/piped.bin");
    const [read, code] = await Promise.all([buffer(reading.child.stdout), reading.ended]);
    expect([code, read.equals(LARGE)]).toEqual([0, true]);
    // An existing file is replaced. For a symbolic link, its target is replaced.
    await symlink("large.bin", join(dir, "link.bin"));
    await writeFile(join(dir, "large.bin"), "old");
    expect((await run("read", "acme/weekly/large.bin", "-o", "link.bin")).code).toBe(0);
    expect((await readFile(join(dir, "large.bin"))).equals(LARGE)).toBe(true);
    expect(await files()).toEqual(["large.bin", "link.bin"]);
  });

  it("is written only if the preconditions in the options hold", async () => {
    const write = (...options: string[]) =>
      runCommand(["write", key, "-", "--url", shared.server.url, ...options], { input: "a" });
    const key = `${newTenant()}/weekly/a.txt`;
    const checksum = createHash("sha256").update("a").digest("hex");
    const other = "0".repeat(64);
    expect((await write("--checksum", other)).code).toBe(7);
    expect((await write("--checksum", checksum.toUpperCase(), "--if-absent", "--json")).code).toBe(0);
    expect((await write("--if-absent")).code).toBe(4);
    expect((await write("--if-checksum", other)).code).toBe(4);
    const replaced = await write(
      "--if-checksum",
      checksum,
      "--metadata",
      '{"rows":42}',
      "--content-type",
      "text/csv",
    );
    expect(replaced.stdout).toMatch(/^Replaced .*text\/csv/);
    const stat = await runRemote("stat", key, "--json");
    expect(JSON.parse(stat.stdout)).toMatchObject({ metadata: { rows: 42 }, contentType: "text/csv" });
  });

  it("that is damaged does not replace an existing file, and its read leaves no other file", async () => {
    await runCommand(["write", "acme/weekly/large.bin", "-"], {
      cwd: dir,
      env: ENV,
      input: LARGE.toString(),
    });
    const object = (await objectWith({ dir }, LARGE)) ?? "";
    await chmod(object, 0o600);
    await writeFile(object, Buffer.concat([LARGE.subarray(1), Buffer.from("!")]));
    await writeFile(join(dir, "mine.bin"), "mine");
    const read = ["read", "acme/weekly/large.bin", "-o", "mine.bin"];
    const damaged = {
      code: 7,
      stdout: "",
      stderr: expect.stringMatching(/^tierkeep: acme\/weekly\/large\.bin is damaged/),
    };
    expect(await run(...read)).toMatchObject(damaged);
    await using server = await startServer({ dir, env: ENV });
    expect(await run(...read, "--url", server.url)).toMatchObject(damaged);
    expect(await run("read", "acme/weekly", "--tree", "tree", "--url", server.url)).toMatchObject(damaged);
    expect(await readdir(join(dir, "tree"))).toEqual([]);
    expect(await readFile(join(dir, "mine.bin"), "utf8")).toBe("mine");
    expect(await files()).toEqual(["mine.bin", "tree"]);
  });

  it("is read without an error if the reader of stdout stops", async () => {
    await runCommand(["write", "acme/weekly/large.bin", "-"], {
      cwd: dir,
      env: ENV,
      input: LARGE.toString(),
    });
    await using reading = new Running("read", "acme/weekly/large.bin");
    const stderr = text(reading.child.stderr);
    await once(reading.child.stdout, "readable");
    reading.child.stdout.destroy();
    expect([await reading.ended, await stderr]).toEqual([0, ""]);
  });
});

describe("a folder", () => {
  const contents = { "index.html": "<h1>", "assets/style.css": "body {}", "assets/img/é.png": "\u0000" };

  it("is written as a workflow's artifacts, and read back as the same folder", async () => {
    await mkdir(join(dir, "site/assets/img"), { recursive: true });
    for (const [path, content] of Object.entries(contents)) await writeFile(join(dir, "site", path), content);
    const tenant = newTenant();
    const written = await runRemote("write", "--tree", "site", `${tenant}/site`, "--meta", "by=CI");
    expect(written).toMatchObject({
      code: 0,
      stdout: `Wrote 3 files to ${tenant}/site in HOT (12 B)\n`,
      stderr: "",
    });
    const { stdout } = await runRemote("ls", `${tenant}/site`, "--meta", "by=CI", "--json");
    const artifacts = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(artifacts.map(({ artifactId, metadata }) => [artifactId, metadata.path])).toEqual([
      ["assets/img/é.png", "assets/img/é.png"],
      ["assets/style.css", "assets/style.css"],
      ["index.html", "index.html"],
    ]);
    const folder = await runRemote("ls", `${tenant}/site/`);
    const listed = folder.stdout.split("\n").map((line) => line.trim().split(/ +/).slice(0, 4).join(" "));
    expect(listed).toContain(`${tenant}/site/assets/`);
    expect(listed).toContain(`${tenant}/site/index.html HOT 4 B`);
    expect(folder.stdout).not.toContain("style.css");
    const inner = await runRemote("ls", `${tenant}/site/assets/`, "--json");
    expect(
      inner.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { __typename: "Folder", name: "img", prefix: "assets/img/" },
      { __typename: "Artifact", artifactId: "assets/style.css" },
    ]);
    const prefixed = await runRemote("ls", `${tenant}/site/assets/st`, "--json");
    expect(JSON.parse(prefixed.stdout)).toMatchObject({ artifactId: "assets/style.css" });
    const filtered = await runRemote("ls", `${tenant}/site/assets/`, "--tier", "hot", "--json");
    expect(
      filtered.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).artifactId),
    ).toEqual(["assets/img/é.png", "assets/style.css"]);
    const read = await runRemote(
      "read",
      "--tree",
      "back",
      "--tenant",
      tenant,
      "--workflow",
      "site",
      "--json",
    );
    expect(read.stdout.trimEnd().split("\n")).toHaveLength(3);
    for (const [path, content] of Object.entries(contents)) {
      expect(await readFile(join(dir, "back", path), "utf8")).toBe(content);
    }
  });

  it("of any shape is read back byte for byte, also with artifacts that other clients wrote", async () => {
    const workflow = `${newTenant()}/site`;
    const contents: Record<string, string> = {
      a__b: "flat",
      "a/b": "nested",
      "d/.env": "dot",
      "é/ü/x y": "",
    };
    for (let depth = 1; depth < 32; depth += 10) contents[`${"deep/".repeat(depth)}file`] = String(depth);
    for (const [path, content] of Object.entries(contents)) {
      await mkdir(dirname(join(dir, "site", path)), { recursive: true });
      await writeFile(join(dir, "site", path), content);
    }
    expect((await runRemote("write", workflow, "--tree", "site")).code).toBe(0);
    await writeFile(join(dir, "one"), "without a path");
    await runRemote("write", `${workflow}/more/2026/one`, "one");
    expect((await runRemote("read", workflow, "--tree", "back", "--dot-files")).code).toBe(0);
    const files = (await readdir(join(dir, "back"), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => relative(join(dir, "back"), join(entry.parentPath, entry.name)));
    expect(files.sort()).toEqual([...Object.keys(contents), "more/2026/one"].sort());
    for (const [path, content] of Object.entries(contents))
      expect(await readFile(join(dir, "back", path), "utf8")).toBe(content);
  });

  it("is written again only where files have changed, and --skip-invalid skips invalid names", async () => {
    await mkdir(join(dir, "site"));
    await writeFile(join(dir, "site/a.txt"), "1");
    await writeFile(join(dir, "site/b.txt"), "2");
    const workflow = `${newTenant()}/site`;
    const write = (...options: string[]) => runRemote("write", workflow, "--tree", "site", ...options);
    expect((await write()).stdout).toBe(`Wrote 2 files to ${workflow} in HOT (2 B)\n`);
    await writeFile(join(dir, "site/b.txt"), "changed");
    await writeFile(join(dir, "site/.env"), "SECRET");
    expect(await write()).toMatchObject({ code: 2, stderr: expect.stringMatching(/\.env: .*dot/) });
    const dry = await write("--skip-invalid", "--dry-run");
    expect(dry).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^would +file +size\nreplace +b\.txt +7 B\nWould write 1 file to .*\(7 B\), 1 unchanged, 1 skipped\nNothing was changed\.\n$/,
      ),
      stderr: expect.stringMatching(/^Skipped: \.env: /),
    });
    expect((await write("--skip-invalid")).stdout).toBe(
      `Wrote 1 file to ${workflow} in HOT (7 B), 1 unchanged, 1 skipped\n`,
    );
    expect((await write("--skip-invalid", "--rewrite")).stdout).toBe(
      `Wrote 2 files to ${workflow} in HOT (8 B), 1 skipped\n`,
    );
    const { stdout } = await runRemote("events", "--tenant", workflow.slice(0, -5), "--json");
    expect(stdout.trimEnd().split("\n")).toHaveLength(5);
  });

  it("with files that get the same artifact id is rejected before anything is written", async () => {
    await mkdir(join(dir, "site/a"), { recursive: true });
    await writeFile(join(dir, "site/a/.b"), "1");
    await writeFile(join(dir, "site/a__.b"), "2");
    const { code, stdout, stderr } = await run("write", "acme/site", "--tree", "site");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/a\/\.b \(a__\.b\) and a__\.b have the same name/);
    expect((await run("ls", "--json")).stdout).toBe("");
  });

  it.each([
    [["write", "acme/site", "nofile", "--tree", "."], /--tree and FILE both name what to write/],
    [["write", "acme/site", "--tree", ".", "--checksum", "0".repeat(64)], /--checksum is for one file/],
    [["write", "acme", "--tree", "."], /Which workflow\?/],
    [["write", "acme/site", "--tree", "none"], /none is not a folder/],
    [["write", "acme/weekly/a", "."], /is a folder. Write its files with --tree/],
    [["read", "acme/site", "--tree", ".", "--artifact", "a"], /--artifact names one artifact/],
    [["read", "acme/site", "--tree", ".", "-o", "a"], /--output is for one artifact/],
    [["read", "acme/site/a", "--dot-files"], /--dot-files is for --tree/],
    [["write", "acme/site/a", "-", "--dry-run"], /--dry-run is for --tree/],
  ])("is rejected with %j before anything is opened", async (args, message) => {
    const { code, stderr } = await run(...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(await readdir(dir)).toEqual([]);
  });
});

describe("a transfer whose server is killed and restarted", () => {
  it("completes, both from a file and into a file", { timeout: 120_000 }, async () => {
    await using server = await startServer({ dir, env: ENV });
    // Stops half-way, so that the transfer is in progress when the server is killed.
    await using slow = await slowProxy(server.origin);
    await writeFile(join(dir, "large.bin"), LARGE);
    const key = "acme/weekly/large.bin";
    await using writing = new Running("write", key, "large.bin", "--url", slow.url);
    await slow.inProgress("PUT");
    await server.kill("SIGKILL");
    await server.restart();
    expect(await writing.ended).toBe(0);
    await using reading = new Running("read", key, "-o", "back.bin", "--url", slow.url);
    await slow.inProgress("GET");
    await server.kill("SIGKILL");
    // The proxy's buffers may still contain bytes that the server has sent.
    slow.cut();
    await server.restart();
    expect(await reading.ended).toBe(0);
    expect((await readFile(join(dir, "back.bin"))).equals(LARGE)).toBe(true);
    expect(await files()).toEqual(["back.bin", "large.bin"]);
  });
});

describe("an interrupted command", () => {
  it("keeps what a read into a file has received, and the same command continues from there", async () => {
    await using server = await startServer({ dir, env: ENV });
    await using slow = await slowProxy(server.origin);
    await writeFile(join(dir, "large.bin"), LARGE);
    const key = "acme/weekly/large.bin";
    expect((await run("write", key, "large.bin")).code).toBe(0);
    await using reading = new Running("read", key, "-o", "back.bin", "--url", slow.url);
    const stderr = text(reading.child.stderr);
    await expect.poll(partSize).toBe(LARGE.length / 2);
    reading.child.kill("SIGINT");
    expect(await reading.ended).toBe(130);
    expect(await stderr).toMatch(
      /^The .* MiB received so far are kept\. The same command continues from there\.\n/,
    );
    const [part = ""] = (await files()).filter((name) => name.endsWith(".part"));
    expect(part).toMatch(/^\.back\.bin\./);
    const kept = (await stat(join(dir, part))).size;
    expect((await run("read", key, "-o", "back.bin", "--url", slow.url)).code).toBe(0);
    expect(slow.ranges.at(-1)).toBe(`bytes=${kept - 1}-`);
    expect((await readFile(join(dir, "back.bin"))).equals(LARGE)).toBe(true);
    expect(await files()).toEqual(["back.bin", "large.bin"]);
  });

  it("keeps what a killed read into a file has received, and the same command continues from there", async () => {
    await using server = await startServer({ dir, env: ENV });
    await using slow = await slowProxy(server.origin);
    await writeFile(join(dir, "large.bin"), LARGE);
    const key = "acme/weekly/large.bin";
    expect((await run("write", key, "large.bin")).code).toBe(0);
    await using reading = new Running("read", key, "-o", "back.bin", "--url", slow.url);
    await expect.poll(partSize).toBe(LARGE.length / 2);
    reading.child.kill("SIGKILL");
    await reading.ended;
    const kept = await partSize();
    expect((await run("read", key, "-o", "back.bin", "--url", slow.url)).code).toBe(0);
    expect(slow.ranges.at(-1)).toBe(`bytes=${kept - 1}-`);
    expect((await readFile(join(dir, "back.bin"))).equals(LARGE)).toBe(true);
    expect(await files()).toEqual(["back.bin", "large.bin"]);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("stores nothing if it was writing endless input: %s", async (signal, code) => {
    await using writing = new Running("write", "acme/weekly/endless.bin", "-");
    writing.child.stdin.write(LARGE);
    // The command has read more than a pipe buffers, so the upload is in progress.
    await once(writing.child.stdin, "drain");
    writing.child.kill(signal);
    expect(await writing.ended).toBe(code);
    // The store was closed, and has neither the artifact nor its bytes.
    expect(await readdir(join(dir, "artifacts/.tierkeep"))).not.toContain("owner.json");
    expect(await run("ls")).toMatchObject({ code: 0, stdout: "", stderr: "0 artifacts, 0 B\n" });
    expect(await objectWith({ dir }, LARGE)).toBeUndefined();
  });

  it("leaves no file if it was reading content that does not arrive", async () => {
    const half = createServer((_request, response) => {
      response.writeHead(200, { etag: `"${"0".repeat(64)}"`, "content-length": 2_000 });
      response.write(Buffer.alloc(1_000));
    }).listen(0, "127.0.0.1");
    await once(half, "listening");
    const { port } = half.address() as AddressInfo;
    await using reading = new Running(
      "read",
      "a/b/c",
      "-o",
      "c.bin",
      "--url",
      `http://127.0.0.1:${port}/graphql`,
    );
    await expect.poll(() => readdir(dir)).toHaveLength(1);
    reading.child.kill("SIGINT");
    expect(await reading.ended).toBe(130);
    expect(await readdir(dir)).toEqual([]);
    half.closeAllConnections();
    half.close();
  });
});

/**
 * Starts a proxy whose first transfer in each direction stops half-way until its server has ended. It forwards everything
 * else.
 */
async function slowProxy(origin: string) {
  const ranges: (string | undefined)[] = [];
  const stopped = { GET: Promise.withResolvers<void>(), PUT: Promise.withResolvers<void>() };
  const waiting = new Set(["GET", "PUT"]);
  const proxy = createServer((incoming, outgoing) => {
    const { method = "", url: path = "", headers } = incoming;
    const stops = path.startsWith("/artifacts/") && waiting.delete(method);
    if (method === "GET") ranges.push(headers.range);
    const onward = request(new URL(path, origin), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      if (!stops || method !== "GET") return void answer.pipe(outgoing);
      passHalf(answer, outgoing, stopped.GET.resolve);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("error", () => onward.destroy());
    if (stops && method === "PUT") passHalf(incoming, onward, stopped.PUT.resolve);
    else incoming.pipe(onward);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/graphql`,
    ranges,
    cut: () => proxy.closeAllConnections(),
    inProgress: (method: "GET" | "PUT") => stopped[method].promise,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      proxy.close();
      await once(proxy, "close");
    },
  };
}

/** Returns the size of a download's temporary file. */
async function partSize(): Promise<number> {
  const part = (await files()).find((name) => name.endsWith(".part"));
  return part === undefined ? 0 : (await stat(join(dir, part))).size;
}

/** Forwards half of LARGE and then nothing more. Destroys `to` when `from` ends. */
function passHalf(from: Readable, to: Writable, halfWay: () => void): void {
  let left = LARGE.length / 2;
  from.on("data", (chunk: Buffer) => {
    to.write(chunk.subarray(0, Math.max(0, left)));
    left -= chunk.length;
    if (left > 0) return;
    from.pause();
    halfWay();
  });
  from.on("close", () => to.destroy());
  from.on("error", () => to.destroy());
}

/** Returns the names in the folder, except the store's. */
async function files(): Promise<string[]> {
  return (await readdir(dir)).filter((name) => name !== "artifacts" && name !== "logs").sort();
}
