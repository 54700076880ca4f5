import type { z } from "zod";
import { boolean, bytes, days, type Setting, text } from "../setting.ts";

const MiB = 2 ** 20;

export const STORAGE_SETTINGS = {
  DURABILITY: {
    belongsTo: "store",
    shownDefault: "fsync",
    default: "fsync",
    accepts: "fsync or os",
    description:
      "fsync: an acknowledged change survives a power failure. os: it survives a crash of the process only, and writes are faster",
    read: text(/^(fsync|os)$/, ([value]) => value as "fsync" | "os"),
  },
  PUBLISH_TREE: {
    belongsTo: "store",
    shownDefault: "true",
    default: true,
    accepts: "true or false",
    description: "publish each tier's artifacts as files, in a tree of hard links",
    read: boolean,
  },
  SCRUB_DAYS: {
    shownDefault: "30",
    default: 30,
    accepts: 'days from 0 to 1000000, fractions allowed, also as 7d, 12h or 2w, or "never"',
    description:
      "days in which the scrubber reads and verifies every stored byte once. never: only on request",
    read: days,
  },
  SCRUB_RATE: {
    shownDefault: "16MiB",
    default: 16 * MiB,
    accepts: "bytes from 64KiB, plain or in KiB, MiB, GiB or TiB",
    description: "bytes that the scrubber reads per second at most",
    read: bytes(64 * 1024, Number.MAX_SAFE_INTEGER),
  },
  MAX_ARTIFACT_BYTES: {
    shownDefault: "none",
    default: null,
    accepts: "bytes from 1, plain or in KiB, MiB, GiB or TiB",
    description: "largest content of an artifact",
    read: bytes(1, Number.MAX_SAFE_INTEGER) as z.ZodType<number | null, string>,
  },
  MAX_INLINE_BYTES: {
    shownDefault: "1MiB",
    default: MiB,
    accepts: "bytes from 0 to 16MiB, plain or in KiB or MiB",
    description:
      "largest content that GraphQL accepts or returns as text or base64; larger content is sent to or read from the artifact's URL",
    read: bytes(0, 16 * MiB),
  },
} as const satisfies Record<string, Setting<unknown>>;
