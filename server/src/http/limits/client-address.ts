import { BlockList, isIP } from "node:net";

/** The part of a request that states the client's address. */
interface Forwarded {
  /** Name, value, name, value … as received. */
  readonly rawHeaders: readonly string[];
}

/** Proxies that are trusted to state a client's address. */
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
   * Returns the address of the client. Without a trusted proxy it is the socket's address. Behind trusted
   * proxies it is the last address in X-Forwarded-For or Forwarded that is not a proxy's. Entries further to
   * the left come from the client and cannot be trusted.
   *
   * - An entry that is not an address, such as `unknown`, ends the search at the proxy that added it.
   * - If both headers are present and differ, the proxy's own address counts, because the proxy did not write
   *   one of them.
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

/** Returns all values of a header's lists, in order. */
function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === name) values.push(...(rawHeaders[at + 1] as string).split(","));
  }
  return values;
}

/** Removes the port and brackets from `192.0.2.1:80`, `[2001:db8::1]:80` or `[2001:db8::1]`. */
function withoutPort(hop: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1] ?? hop.replace(/^(\d+(?:\.\d+){3}):\d+$/, "$1");
}

/** Converts an IPv4-mapped IPv6 address to IPv4. */
function plainAddress(address: string): string {
  return /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1] ?? address.replace(/%.*$/, "");
}
