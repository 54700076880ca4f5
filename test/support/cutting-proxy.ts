import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { SeededRandom } from "./seeded-random.ts";

export interface CuttingProxyOptions {
  /** `http://HOST:PORT` of the server. The server may be restarted. */
  readonly target: string;
  readonly random: SeededRandom;
  /** Each connection is cut after a random number of bytes from the server, between these limits. */
  readonly leastBytes: number;
  readonly mostBytes: number;
}

export interface CuttingProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/graphql`. */
  readonly url: string;
  /** Number of connections cut so far, each with part of the server's data withheld. */
  readonly cuts: number;
  /** Stops cutting connections, including the open ones. */
  stopCutting(): void;
}

/** Starts a TCP proxy on loopback that cuts each connection at a random byte, which may be within a frame. */
export async function startCuttingProxy(options: CuttingProxyOptions): Promise<CuttingProxy> {
  const { random, leastBytes, mostBytes } = options;
  const target = new URL(options.target);
  const sockets = new Set<Socket>();
  let cutting = true;
  let cuts = 0;

  const proxy = createServer((client) => {
    const server = connect({ host: target.hostname, port: Number(target.port) });
    let allowance = random.between(leastBytes, mostBytes);
    const byReset = random.between(0, 1) === 1;
    let cut = false;
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      // An error also closes the socket. The close handlers below forward that.
      socket.on("error", () => {});
    }
    client.on("close", () => server.destroy());
    server.on("close", () => {
      if (!cut) client.destroy();
    });
    client.pipe(server);
    server.on("data", (bytes: Buffer) => {
      if (!cutting || bytes.length < allowance) {
        allowance -= bytes.length;
        if (!client.write(bytes)) {
          server.pause();
          client.once("drain", () => server.resume());
        }
        return;
      }
      cut = true;
      cuts += 1;
      server.destroy();
      // Sends the part first, so that the client receives an incomplete frame before the end.
      client.write(bytes.subarray(0, allowance), () => (byReset ? client.resetAndDestroy() : client.end()));
    });
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");

  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/graphql`,
    get cuts() {
      return cuts;
    },
    stopCutting() {
      cutting = false;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, "close");
    },
  };
}
