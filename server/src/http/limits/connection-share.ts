import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { TrustedProxies } from "./client-address.ts";
import { networkOf } from "./owner.ts";

/**
 * Closes connections of an address that has `most` open already, so that one client cannot take all that the server
 * accepts. Trusted proxies may have any number: their connections are those of many clients.
 */
export function shareConnections(server: Server, most: number, proxies: TrustedProxies): void {
  const open = new Map<string, number>();
  server.prependListener("connection", (socket: Socket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || proxies.has(remoteAddress)) return;
    const network = networkOf(remoteAddress);
    const count = (open.get(network) ?? 0) + 1;
    open.set(network, count);
    socket.once("close", () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left === 0) open.delete(network);
      else open.set(network, left);
    });
    if (count > most) socket.destroy();
  });
}
