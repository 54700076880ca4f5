import { describe, expect, it } from "vitest";
import { TrustedProxies } from "./client-address.ts";

const proxies = new TrustedProxies(["10.0.0.0/8", "192.0.2.7", "fd00::/8"]);
const PROXY = "10.1.2.3";

const forwarded = (...headers: [string, string][]) => ({ rawHeaders: headers.flat() });
const xff = (value: string) => forwarded(["X-Forwarded-For", value]);

describe("the address of a client", () => {
  it.each([
    ["is the socket's without trusted proxies", "203.0.113.1", xff("198.51.100.9"), "203.0.113.1"],
    ["is the socket's without headers", PROXY, forwarded(), PROXY],
    ["is what a trusted proxy says", PROXY, xff("198.51.100.9"), "198.51.100.9"],
    ["is the last one that no proxy has", PROXY, xff("1.1.1.1, 198.51.100.9, 192.0.2.7"), "198.51.100.9"],
    ["is not what a client says of itself", "::ffff:10.0.0.1", xff("1.1.1.1,198.51.100.9"), "198.51.100.9"],
    ["may have a port", PROXY, xff("198.51.100.9:4711"), "198.51.100.9"],
    ["may be IPv6", "fd00::1", xff("[2001:db8::1]:80"), "2001:db8::1"],
    ["is the proxy's where it knows none", PROXY, xff("198.51.100.9, unknown"), PROXY],
    ["is the first where all are proxies", PROXY, xff("10.9.9.9, 192.0.2.7"), "10.9.9.9"],
    [
      "is read from Forwarded",
      PROXY,
      forwarded(["forwarded", "for=198.51.100.9;proto=https"]),
      "198.51.100.9",
    ],
    [
      "is read from all of Forwarded",
      PROXY,
      forwarded(["Forwarded", 'for=1.1.1.1, for="[2001:db8::5]:443"'], ["Forwarded", "by=x; For=192.0.2.7"]),
      "2001:db8::5",
    ],
    [
      "is read from several headers",
      PROXY,
      forwarded(["x-forwarded-for", "1.1.1.1"], ["x-forwarded-for", "198.51.100.9"]),
      "198.51.100.9",
    ],
    [
      "is the proxy's where the headers disagree: a client wrote one of them",
      PROXY,
      forwarded(["x-forwarded-for", "198.51.100.9"], ["forwarded", "for=1.1.1.1"]),
      PROXY,
    ],
  ])("%s", (_what, socket, message, expected) => {
    expect(proxies.addressOf(socket, message)).toBe(expected);
  });

  it("is the socket's where no proxy is trusted, whatever the headers say", () => {
    expect(new TrustedProxies([]).addressOf(PROXY, xff("198.51.100.9"))).toBe(PROXY);
  });
});
