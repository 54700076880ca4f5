import { describe, expect, it } from "vitest";
import { TrustedProxies } from "./client-address.ts";

const proxies = new TrustedProxies(["10.0.0.0/8", "192.0.2.7", "fd00::/8"]);
const PROXY = "10.1.2.3";

const forwarded = (...headers: [string, string][]) => ({ rawHeaders: headers.flat() });
const xff = (value: string) => forwarded(["X-Forwarded-For", value]);

describe("TrustedProxies.addressOf", () => {
  it.each([
    [
      "returns the socket's address without trusted proxies",
      "203.0.113.1",
      xff("198.51.100.9"),
      "203.0.113.1",
    ],
    ["returns the socket's address without headers", PROXY, forwarded(), PROXY],
    ["returns the address that a trusted proxy states", PROXY, xff("198.51.100.9"), "198.51.100.9"],
    [
      "returns the last address that is not a proxy's",
      PROXY,
      xff("1.1.1.1, 198.51.100.9, 192.0.2.7"),
      "198.51.100.9",
    ],
    [
      "ignores the address that a client states itself",
      "::ffff:10.0.0.1",
      xff("1.1.1.1,198.51.100.9"),
      "198.51.100.9",
    ],
    ["accepts a port", PROXY, xff("198.51.100.9:4711"), "198.51.100.9"],
    ["may be IPv6", "fd00::1", xff("[2001:db8::1]:80"), "2001:db8::1"],
    ["returns the proxy's address if it states none", PROXY, xff("198.51.100.9, unknown"), PROXY],
    ["returns the first address if all are proxies", PROXY, xff("10.9.9.9, 192.0.2.7"), "10.9.9.9"],
    ["reads Forwarded", PROXY, forwarded(["forwarded", "for=198.51.100.9;proto=https"]), "198.51.100.9"],
    [
      "reads all entries of Forwarded",
      PROXY,
      forwarded(["Forwarded", 'for=1.1.1.1, for="[2001:db8::5]:443"'], ["Forwarded", "by=x; For=192.0.2.7"]),
      "2001:db8::5",
    ],
    [
      "reads several headers",
      PROXY,
      forwarded(["x-forwarded-for", "1.1.1.1"], ["x-forwarded-for", "198.51.100.9"]),
      "198.51.100.9",
    ],
    [
      "returns the proxy's address if the headers disagree, because a client wrote one of them",
      PROXY,
      forwarded(["x-forwarded-for", "198.51.100.9"], ["forwarded", "for=1.1.1.1"]),
      PROXY,
    ],
  ])("%s", (_what, socket, message, expected) => {
    expect(proxies.addressOf(socket, message)).toBe(expected);
  });

  it("returns the socket's address for any headers if no proxy is trusted", () => {
    expect(new TrustedProxies([]).addressOf(PROXY, xff("198.51.100.9"))).toBe(PROXY);
  });
});
