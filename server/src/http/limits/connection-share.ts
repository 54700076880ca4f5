import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { TrustedProxies } from "./client-address.ts";
import { networkOf } from "./owner.ts";

/**
 * Closes new connections of an address that already has `most` open, so that one client cannot use all
 * connections. Trusted proxies are exempt: their connections serve many clients.
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
