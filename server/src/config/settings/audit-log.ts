import type { z } from "zod";
import { boolean, bytes, path, type Setting, text } from "../setting.ts";

export const AUDIT_LOG_SETTINGS = {
  LOG_DIR: {
    belongsTo: "store",
    shownDefault: "logs",
    default: "logs",
    accepts: "the path of a folder",
    description: "folder of the audit log",
    read: path,
  },
  AUDIT_SIGNING_KEY: {
    belongsTo: "store",
    shownDefault: "own",
    default: null,
    accepts: 'the path of an Ed25519 private key (PKCS#8 in PEM), or "own"',
    description: "key that signs the audit log. own: a key that the store generates when it is created",
    read: text(/^[^\0]+$/, ([value]) => (value === "own" ? null : value) as string | null),
  },
  AUDIT_FILE_BYTES: {
    shownDefault: "none",
    default: null,
    accepts: "bytes from 4KiB, plain or in KiB, MiB, GiB or TiB",
    description: "size at which a file of the audit log is full and the next one is started",
    read: bytes(4096, Number.MAX_SAFE_INTEGER) as z.ZodType<number | null, string>,
  },
  AUDIT_READS: {
    belongsTo: "store",
    shownDefault: "false",
    default: false,
    accepts: "true or false",
    description: "log each read of content as well, before any content is sent",
    read: boolean,
  },
} as const satisfies Record<string, Setting<unknown>>;
