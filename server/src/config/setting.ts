import { isIP } from "node:net";
import { pathToFileURL } from "node:url";
import { z } from "zod";

/** One environment variable: what documentation says of it, and how its text becomes a value. */
export interface Setting<T> {
  /** The default, as documentation shows it. */
  readonly shownDefault: string;
  /** The value when it is unset. */
  readonly default: T;
  /** What it takes, as the end of "it takes …". */
  readonly takes: string;
  /** What it is for, in a clause. */
  readonly means: string;
  /** "store": the value is stored with the store and is the same for every command that opens it. */
  readonly belongsTo?: "store";
  /** True: its value is never shown. */
  readonly secret?: boolean;
  readonly read: z.ZodType<T, string>;
}

/** Text that `pattern` matches whole, turned into a value by `convert`; undefined refuses it. */
export function text<T>(
  pattern: RegExp,
  convert: (match: RegExpExecArray) => T | undefined,
): z.ZodType<T, string> {
  return z.string().transform((value, context) => {
    const match = pattern.exec(value);
    const converted = match === null ? undefined : convert(match);
    if (converted !== undefined) return converted;
    context.addIssue({ code: "custom", message: "refused" });
    return z.NEVER;
  });
}

export const boolean: z.ZodType<boolean, string> = text(/^(?:true|false)$/, ([value]) => value === "true");

/** A folder's path. What the operating system cannot name is refused here, not by the first call that uses it. */
export const path: z.ZodType<string, string> = text(/^[^\0]+$/, ([value]) => value);

const UNITS: Record<string, number> = { "": 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** A size in bytes, plain or in binary units. Decimal units are refused: half of their readers mean the binary ones. */
export function bytes(least: number, most: number): z.ZodType<number, string> {
  return text(/^(\d+) ?(|KiB|MiB|GiB|TiB)$/, ([, digits, unit]) => {
    const size = Number(digits) * (UNITS[unit ?? ""] ?? Number.NaN);
    return size >= least && size <= most ? size : undefined;
  });
}

/** A whole number. */
export function count(least: number, most: number): z.ZodType<number, string> {
  return text(/^\d{1,10}$/, ([digits]) => {
    const number = Number(digits);
    return number >= least && number <= most ? number : undefined;
  });
}

/** A whole number of seconds, as ms. */
export function seconds(least: number, most: number): z.ZodType<number, string> {
  return count(least, most).transform((number) => number * 1_000);
}

/** A whole number, or null: as many as there are. */
export function countOrNone(least: number, most: number): z.ZodType<number | null, string> {
  return z.union([text(/^none$/, () => null as number | null), count(least, most)]);
}

const DAYS: Record<string, number> = { "": 1, h: 1 / 24, d: 1, w: 7 };

/** Days with fractions, also as the command line takes them: "7d", "12h", "2w"; null: never. */
export const days: z.ZodType<number | null, string> = z.union([
  text(/^never$/, () => null as number | null),
  text(/^(\d+(?:\.\d+)?)(|h|d|w)$/, ([, number, unit]) => {
    const value = Number(number) * (DAYS[unit ?? ""] ?? Number.NaN);
    return value <= MAX_DAYS ? value : undefined;
  }),
]);

/** Beyond every date that JavaScript knows, and instants computed from it are still exact. */
const MAX_DAYS = 1_000_000;

/** An address to listen on, or a name that stands for one. */
export const host: z.ZodType<string, string> = text(/^[A-Za-z0-9.:-]+$|^\[[0-9a-f:.]+\]$/i, ([value]) => {
  const name = value.replace(/[[\]]/g, "");
  const isAddress = z.ipv4().safeParse(name).success || z.ipv6().safeParse(name).success;
  return isAddress || /^(?![\d.]+$)[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i.test(name) ? name : undefined;
});

/** Whether an address is one that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/i.test(address);
}

/** What is as hard to guess as the digests that are made with it: as many bytes. */
export const sharedSecret: z.ZodType<string | null, string> = text(/^.+$/s, ([value]) =>
  Buffer.byteLength(value) >= 32 ? (value as string | null) : undefined,
);

/** Where public keys are: by https, where nobody can put others in their place, or from this machine. */
export const keySetUrl: z.ZodType<string | null, string> = text(/^[^\0]+$/, ([value]) => {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(value)) return pathToFileURL(value).href as string | null;
  const url = URL.parse(value);
  if (url === null || url.username !== "" || url.password !== "") return undefined;
  const isLocal = url.protocol === "http:" && isLoopback(url.hostname.replace(/[[\]]/g, ""));
  return isLocal || /^(?:https|file):$/.test(url.protocol) ? url.href : undefined;
});

/** scheme://host[:port] as browsers send it in Origin. */
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
  // Requests could not be told apart from those of the server's own paths.
  if (/^\/(?:artifacts|graphql)(?:\/|$)/.test(url.pathname)) return undefined;
  return url.href as string | null;
});
