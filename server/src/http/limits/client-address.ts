import { BlockList, isIP } from "node:net";

/** The part of a request that says where it comes from. */
interface Forwarded {
  /** Name, value, name, value … as they came. */
  readonly rawHeaders: readonly string[];
}

/** Proxies whose word on a client's address counts. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /** @param proxies addresses, and networks such as 10.0.0.0/8 or fd00::/8 */
  constructor(proxies: readonly string[]) {
    this.#isEmpty = proxies.length === 0;
    for (const each of proxies) {
      const [address = "", bits] = each.split("/");
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  has(address: string): boolean {
    const plain = plainAddress(address);
    return !this.#isEmpty && this.#list.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
  }

  /**
   * The address of the client: the socket's, or behind trusted proxies the last one in X-Forwarded-For or Forwarded
   * that none of them has. Entries further to the left come from the client itself, which can write anything.
   *
   * - An entry that is no address, such as `unknown`, ends the search at the proxy that added it.
   * - A request with both headers that do not agree counts as the proxy's own: one of them was not written by it.
   */
  addressOf(socketAddress: string, { rawHeaders }: Forwarded): string {
    if (!this.has(socketAddress)) return socketAddress;
    const [byList, byPairs] = [
      valuesOf(rawHeaders, "x-forwarded-for").map((value) => value.trim()),
      valuesOf(rawHeaders, "forwarded").map(
        (value) => /(?:^|;)\s*for\s*=\s*"?([^";]*)"?/i.exec(value)?.[1] ?? "",
      ),
    ].map((hops) => this.#client(socketAddress, hops)) as [string, string];
    if (byPairs === socketAddress) return byList;
    return byList === socketAddress || byList === byPairs ? byPairs : socketAddress;
  }

  #client(socketAddress: string, hops: readonly string[]): string {
    let client = socketAddress;
    for (const hop of hops.toReversed()) {
      const address = withoutPort(hop);
      if (isIP(address) === 0) return client;
      client = address;
      if (!this.has(address)) return client;
    }
    return client;
  }
}

/** All values of a header's lists, in order. */
function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === name) values.push(...(rawHeaders[at + 1] as string).split(","));
  }
  return values;
}

/** `192.0.2.1:80`, `[2001:db8::1]:80` and `[2001:db8::1]` without port and brackets. */
function withoutPort(hop: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1] ?? hop.replace(/^(\d+(?:\.\d+){3}):\d+$/, "$1");
}

/** An IPv4 address that is written as an IPv6 one, as IPv4. */
function plainAddress(address: string): string {
  return /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1] ?? address.replace(/%.*$/, "");
}
