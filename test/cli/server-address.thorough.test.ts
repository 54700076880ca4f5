import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeDirectory, runCommand, temporaryDirectory } from "../support/server.ts";

let dir: string;
let server: Server;
let url: string;
let credentials: (string | undefined)[];

const EMPTY_PAGE = {
  nodes: [],
  pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
};

beforeEach(async () => {
  dir = await temporaryDirectory();
  credentials = [];
  server = createServer((request, response) => {
    credentials.push(request.headers.authorization);
    response
      .setHeader("content-type", "application/json")
      .end(JSON.stringify({ data: { artifacts: EMPTY_PAGE } }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await removeDirectory(dir);
});

const ls = (env: Record<string, string>, ...args: string[]) => runCommand(["ls", ...args], { cwd: dir, env });

describe("a command", () => {
  it("connects to the server of --url, and opens no store", async () => {
    expect((await ls({}, "--url", url)).code).toBe(0);
    expect(credentials).toEqual([undefined]);
    expect(await readdir(dir)).toEqual([]);
  });

  it("connects to the server of TIERKEEP_URL, and sends it TIERKEEP_TOKEN", async () => {
    expect((await ls({ TIERKEEP_URL: url, TIERKEEP_TOKEN: "s3cret" })).code).toBe(0);
    expect(credentials).toEqual(["Bearer s3cret"]);
    expect(
      (await ls({ TIERKEEP_URL: "http://127.0.0.1:1/graphql", TIERKEEP_TOKEN: "" }, "--url", url)).code,
    ).toBe(0);
    expect(credentials).toEqual(["Bearer s3cret", undefined]);
  });

  it("ignores an empty TIERKEEP_URL", async () => {
    const { code, stderr } = await ls({ TIERKEEP_URL: "", TIERKEEP_TOKEN: "s3cret" });
    expect([code, stderr]).toEqual([3, expect.stringContaining("There is no store in ./artifacts")]);
    expect(credentials).toEqual([]);
  });

  it.each<[Record<string, string>, string[], RegExp]>([
    [{}, ["--url", "tierkeep.example"], /--url .* Give the http or https URL/],
    [
      {},
      ["--url", "http://me:s3cret@tierkeep.example/graphql"],
      /--url contains credentials\. .*TIERKEEP_TOKEN/,
    ],
    [{ TIERKEEP_URL: "tierkeep.example" }, [], /TIERKEEP_URL is not the http or https URL/],
    [{ TIERKEEP_URL: "http://me:s3cret@tierkeep.example/graphql" }, [], /TIERKEEP_URL contains credentials/],
    [
      { TIERKEEP_URL: "http://tierkeep.example", TIERKEEP_TOKEN: "s3cret s3cret" },
      [],
      /TIERKEEP_TOKEN contains/,
    ],
  ])("rejects %j %j without printing a secret", async (env, args, message) => {
    const { code, stdout, stderr } = await ls(env, ...args);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringMatching(message)]);
    expect(stderr).not.toContain("s3cret");
  });
});
