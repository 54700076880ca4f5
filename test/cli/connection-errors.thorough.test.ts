import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { runCommand } from "../support/server.ts";

/** Starts an HTTP server that is not Tierkeep. */
async function otherServer(answer: RequestListener) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a command whose server does not respond", () => {
  it("names the address and what to do, and exits with code 6", async () => {
    let url: string;
    {
      await using gone = await otherServer(() => {});
      url = gone.url;
    }
    const { code, stdout, stderr } = await runCommand(["ls", "--url", url]);
    expect([code, stdout, stderr]).toEqual([
      6,
      "",
      `tierkeep: ${url} cannot be reached (ECONNREFUSED). Start the server with \`tierkeep serve\`, or check --url and TIERKEEP_URL.\n`,
    ]);
  });

  it("names the address of an unknown host", async () => {
    const url = "http://tierkeep.invalid/graphql";
    const { code, stderr } = await runCommand(["whoami"], { env: { TIERKEEP_URL: url } });
    expect([code, stderr]).toEqual([
      6,
      expect.stringMatching(
        /^tierkeep: http:\/\/tierkeep\.invalid\/graphql cannot be reached \(E[A-Z_]+\)\. Check the host name/,
      ),
    ]);
  });

  it("names the address of a server that is not Tierkeep", async () => {
    await using other = await otherServer((_, response) => void response.writeHead(404).end("<h1>Not here"));
    const { code, stderr } = await runCommand(["ls", "--url", other.url]);
    expect([code, stderr]).toEqual([6, expect.stringContaining(`tierkeep: ${other.url}: `)]);
  });
});
