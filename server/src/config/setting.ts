import { isIP } from "node:net";
import { pathToFileURL } from "node:url";
import { z } from "zod";

/** An environment variable: its documentation, its default, and how its text is parsed. */
export interface Setting<T> {
  /** The default as shown in documentation: the text that sets it, or "–" or "none" when the setting is unset. */
  readonly shownDefault: string;
  /** The value when the variable is unset. */
  readonly default: T;
  /** The valid values, as a phrase that completes "expected …". */
  readonly accepts: string;
  /** The effect of the setting, as a phrase. */
  readonly description: string;
  /** "store": the value is stored with the store and is the same for every command that opens it. */
  readonly belongsTo?: "store";
  /** True when error messages must not show the value. */
  readonly secret?: boolean;
  readonly read: z.ZodType<T, string>;
}

/** Returns a schema for text that `pattern` matches. `convert` returns its value, or undefined to reject it. */
export function text<T>(
  pattern: RegExp,
  convert: (match: RegExpExecArray) => T | undefined,
): z.ZodType<T, string> {
  return z.string().transform((value, context) => {
    const match = pattern.exec(value);
    const converted = match === null ? undefined : convert(match);
    if (converted !== undefined) return converted;
    context.addIssue({ code: "custom", message: "rejected" });
    return z.NEVER;
  });
}

export const boolean: z.ZodType<boolean, string> = text(/^(?:true|false)$/, ([value]) => value === "true");

/** The path of a folder. A path with NUL is rejected here, because no system call accepts it. */
export const path: z.ZodType<string, string> = text(/^[^\0]+$/, ([value]) => value);

const UNITS: Record<string, number> = { "": 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** A size in bytes, plain or in binary units. Decimal units are rejected, because many users mean the binary ones. */
export function bytes(least: number, most: number): z.ZodType<number, string> {
  return text(/^(\d+) ?(|KiB|MiB|GiB|TiB)$/, ([, digits, unit]) => {
    const size = Number(digits) * (UNITS[unit ?? ""] ?? Number.NaN);
    return size >= least && size <= most ? size : undefined;
  });
}

/** Returns the schema of an integer. */
export function count(least: number, most: number): z.ZodType<number, string> {
  return text(/^\d{1,10}$/, ([digits]) => {
    const number = Number(digits);
    return number >= least && number <= most ? number : undefined;
  });
}

/** Returns the schema of a number of seconds, converted to ms. */
export function seconds(least: number, most: number): z.ZodType<number, string> {
  return count(least, most).transform((number) => number * 1_000);
}

/** Returns the schema of an integer, or null ("none") for no limit. */
export function countOrNone(least: number, most: number): z.ZodType<number | null, string> {
  return z.union([text(/^none$/, () => null as number | null), count(least, most)]);
}

const DAYS: Record<string, number> = { "": 1, h: 1 / 24, d: 1, w: 7 };

/** Days, with fractions, also in the format of the command line: "7d", "12h", "2w". Null means never. */
export const days: z.ZodType<number | null, string> = z.union([
  text(/^never$/, () => null as number | null),
  text(/^(\d+(?:\.\d+)?)(|h|d|w)$/, ([, number, unit]) => {
    const value = Number(number) * (DAYS[unit ?? ""] ?? Number.NaN);
    return value <= MAX_DAYS ? value : undefined;
  }),
]);

/** More days than a JavaScript Date can hold, and still exact in ms. */
const MAX_DAYS = 1_000_000;

/** An IP address or host name to listen on. */
export const host: z.ZodType<string, string> = text(/^[A-Za-z0-9.:-]+$|^\[[0-9a-f:.]+\]$/i, ([value]) => {
  const name = value.replace(/[[\]]/g, "");
  const isAddress = z.ipv4().safeParse(name).success || z.ipv6().safeParse(name).success;
  return isAddress || /^(?![\d.]+$)[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i.test(name) ? name : undefined;
});

/** Returns whether only this machine can reach the address. */
export function isLoopback(address: string): boolean {
  return /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/i.test(address);
}

/** A shared secret of at least 32 bytes, the length of an HMAC-SHA-256 digest. */
export const sharedSecret: z.ZodType<string | null, string> = text(/^.+$/s, ([value]) =>
  Buffer.byteLength(value) >= 32 ? (value as string | null) : undefined,
);

/** The location of public keys: an https URL, which cannot be tampered with in transit, or a source on this machine. */
export const keySetUrl: z.ZodType<string | null, string> = text(/^[^\0]+$/, ([value]) => {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(value)) return pathToFileURL(value).href as string | null;
  const url = URL.parse(value);
  if (url === null || url.username !== "" || url.password !== "") return undefined;
  const isLocal = url.protocol === "http:" && isLoopback(url.hostname.replace(/[[\]]/g, ""));
  return isLocal || /^(?:https|file):$/.test(url.protocol) ? url.href : undefined;
});

/** Returns the origin scheme://host[:port] in the format of the Origin header. */
function origin(value: string): string | undefined {
  const url = URL.parse(value);
  return url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.origin === value.toLowerCase().replace(/\/$/, "")
    ? url.origin
    : undefined;
}

export const origins: z.ZodType<readonly string[], string> = text(/^.+$/s, ([value]) => {
  const parts = value.split(/[\s,]+/).filter((part) => part !== "");
  const found = parts.map(origin).filter((part) => part !== undefined);
  return found.length === parts.length ? found : undefined;
});

/** IP addresses, and networks as address/bits. */
export const addresses: z.ZodType<readonly string[], string> = text(/^.+$/s, ([value]) => {
  const parts = value.split(/[\s,]+/).filter((part) => part !== "");
  return parts.every(isNetwork) ? parts : undefined;
});

function isNetwork(value: string): boolean {
  const [address = "", bits, ...rest] = value.split("/");
  const most = { 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return (
    most > 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  );
}

export const publicUrl: z.ZodType<string | null, string> = text(/^https?:\/\/.+$/, ([value]) => {
  const url = URL.parse(value);
  if (url === null || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    return undefined;
  // With such a prefix, requests would be ambiguous with the server's own paths.
  if (/^\/(?:artifacts|graphql)(?:\/|$)/.test(url.pathname)) return undefined;
  return url.href as string | null;
});
