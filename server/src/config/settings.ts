import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import type { z } from "zod";
import {
  addresses,
  boolean,
  bytes,
  count,
  countOrNone,
  days,
  host,
  keySetUrl,
  origins,
  path,
  publicUrl,
  type Setting,
  seconds,
  sharedSecret,
  text,
} from "./setting.ts";

const MiB = 2 ** 20;

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/**
 * Every variable that this version acts on. The documentation's table is made from it. `belongsTo: "store"` marks a setting
 * that is stored with the store: only `serve` changes it, and the default applies to a new store only.
 */
export const SETTINGS = {
  HOST: {
    shownDefault: "127.0.0.1",
    default: "127.0.0.1",
    takes: "an address of this machine, such as 127.0.0.1 or 0.0.0.0, or a name of it",
    means: "the address to listen on; one that others reach needs authentication (AUTH_…)",
    read: host,
  },
  PORT: {
    shownDefault: "4000",
    default: 4000,
    takes: "a port number from 0 to 65535, 0 being any free port",
    means: "the port to listen on",
    read: text(/^\d{1,5}$/, ([value]) => (Number(value) <= 65535 ? Number(value) : undefined)),
  },
  PUBLIC_URL: {
    shownDefault: "–",
    default: null,
    takes:
      "an http:// or https:// URL without credentials, query and fragment, whose path does not begin with /artifacts or /graphql",
    means:
      "where clients reach this server, if not at HOST and PORT; its path is the prefix of every URL in answers, and pages from there are trusted",
    read: publicUrl,
  },
  CORS_ORIGINS: {
    shownDefault: "–",
    default: [],
    takes: 'origins such as "https://app.example.com", separated by commas',
    means: "web pages of other origins that may call this server",
    read: origins,
  },
  AUTH_JWT_SECRET: {
    shownDefault: "–",
    default: null,
    takes: "a secret of at least 32 bytes",
    means: "callers must show a token; taken are JSON Web Tokens that this secret signs (HS256)",
    secret: true,
    read: sharedSecret,
  },
  AUTH_JWT_SECRET_PREVIOUS: {
    shownDefault: "–",
    default: null,
    takes: "a secret of at least 32 bytes",
    means: "accept tokens that this secret signs, too: the one before AUTH_JWT_SECRET, during a rotation",
    secret: true,
    read: sharedSecret,
  },
  AUTH_JWKS_URL: {
    shownDefault: "–",
    default: null,
    takes: "an https:// URL, an http:// URL of this machine, or a file's path",
    means:
      "callers must show a token; taken are JSON Web Tokens that one of the keys in this JSON Web Key Set signs (RS256, ES256)",
    read: keySetUrl,
  },
  AUTH_API_KEYS: {
    shownDefault: "–",
    default: null,
    takes: "true or false",
    means:
      "callers must show a token; taken are API keys (`tierkeep keys`). Unset, they are taken besides JSON Web Tokens, and not asked for alone",
    read: boolean as z.ZodType<boolean | null, string>,
  },
  AUTH_ISSUER: {
    shownDefault: "–",
    default: null,
    takes: "text",
    means: "the `iss` that a JSON Web Token must have",
    read: text(/^.+$/s, ([value]) => value as string | null),
  },
  AUTH_AUDIENCE: {
    shownDefault: "–",
    default: null,
    takes: "text",
    means: "the `aud` that a JSON Web Token must have",
    read: text(/^.+$/s, ([value]) => value as string | null),
  },
  STORAGE_BASE_PATH: {
    shownDefault: "artifacts",
    default: "artifacts",
    takes: "a folder's path",
    means: "where the store stands",
    read: path,
  },
  LOG_DIR: {
    belongsTo: "store",
    shownDefault: "logs",
    default: "logs",
    takes: "a folder's path",
    means: "where the audit log is written",
    read: path,
  },
  AUDIT_SIGNING_KEY: {
    belongsTo: "store",
    shownDefault: "own",
    default: null,
    takes: 'the path of an Ed25519 private key (PKCS#8 in PEM), or "own"',
    means: "the key that signs the audit log; own: the store makes one when it is created",
    read: text(/^[^\0]+$/, ([value]) => (value === "own" ? null : value) as string | null),
  },
  AUDIT_FILE_BYTES: {
    shownDefault: "none",
    default: null,
    takes: "bytes from 4KiB, plain or in KiB, MiB, GiB or TiB",
    means: "a file of the audit log that has come to this size is full, and another one is begun",
    read: bytes(4096, Number.MAX_SAFE_INTEGER) as z.ZodType<number | null, string>,
  },
  AUDIT_READS: {
    belongsTo: "store",
    shownDefault: "false",
    default: false,
    takes: "true or false",
    means: "log who reads content, too, before it is given",
    read: boolean,
  },
  HOT_RETENTION_DAYS: {
    belongsTo: "store",
    shownDefault: "7",
    default: 7,
    takes: 'days from 0 to 1000000, fractions allowed, also as 7d, 12h or 2w, or "never"',
    means: "artifacts older than this leave hot",
    read: days,
  },
  WARM_RETENTION_DAYS: {
    belongsTo: "store",
    shownDefault: "30",
    default: 30,
    takes: 'more days than HOT_RETENTION_DAYS, fractions allowed, also as 7d, 12h or 2w, or "never"',
    means: "artifacts older than this leave warm",
    read: days,
  },
  COLD_RETENTION_DAYS: {
    belongsTo: "store",
    shownDefault: "90",
    default: 90,
    takes: 'more days than WARM_RETENTION_DAYS, fractions allowed, also as 7d, 12h or 2w, or "never"',
    means: "artifacts older than this are purged from cold",
    read: days,
  },
  LIFECYCLE_SCHEDULE: {
    shownDefault: "none",
    default: null,
    takes: 'a cron expression such as "0 3 * * *", in the server\'s time zone',
    means: "when live lifecycle runs start by themselves",
    read: text(/^.+$/s, ([value]) => value as string | null),
  },
  TIERKEEP_ALLOW_AS_OF: {
    shownDefault: "false",
    default: false,
    takes: "true or false",
    means: "live lifecycle runs may be given the instant to judge ages at",
    read: boolean,
  },
  DURABILITY: {
    belongsTo: "store",
    shownDefault: "fsync",
    default: "fsync",
    takes: "fsync or os",
    means:
      "fsync: what was acknowledged survives a power cut; os: only a crash of the process, but it is faster",
    read: text(/^(fsync|os)$/, ([value]) => value as "fsync" | "os"),
  },
  SCRUB_DAYS: {
    shownDefault: "30",
    default: 30,
    takes: 'days from 0 to 1000000, fractions allowed, also as 7d, 12h or 2w, or "never"',
    means: "in so many days every stored byte is read once and compared; never: only when somebody asks",
    read: days,
  },
  SCRUB_RATE: {
    shownDefault: "16MiB",
    default: 16 * MiB,
    takes: "bytes from 64KiB, plain or in KiB, MiB, GiB or TiB",
    means: "most that is read for it in a second",
    read: bytes(64 * 1024, Number.MAX_SAFE_INTEGER),
  },
  PUBLISH_TREE: {
    belongsTo: "store",
    shownDefault: "true",
    default: true,
    takes: "true or false",
    means: "keep the tree of hard links that shows each tier's artifacts as files",
    read: boolean,
  },
  MAX_INLINE_BYTES: {
    shownDefault: "1MiB",
    default: MiB,
    takes: "bytes from 0 to 16MiB, plain or in KiB or MiB",
    means:
      "largest content that GraphQL takes or gives as text or base64; larger content goes over the artifact's URL",
    read: bytes(0, 16 * MiB),
  },
  MAX_ARTIFACT_BYTES: {
    shownDefault: "none",
    default: null,
    takes: "bytes from 1, plain or in KiB, MiB, GiB or TiB",
    means: "largest content at all",
    read: bytes(1, Number.MAX_SAFE_INTEGER) as z.ZodType<number | null, string>,
  },
  LOG_LEVEL: {
    shownDefault: "info",
    default: "info",
    takes: "trace, debug, info, warn, error, fatal or silent",
    means:
      "what the server logs to stderr: this level and the more severe ones; health probes are at `debug`",
    read: text(/^(?:trace|debug|info|warn|error|fatal|silent)$/, ([value]) => value as LogLevel),
  },
  GRAPHIQL: {
    shownDefault: "true",
    default: DEFAULT_LIMITS.surface.graphiql,
    takes: "true or false",
    means: "serve GraphiQL, a page to try queries on",
    read: boolean,
  },
  INTROSPECTION: {
    shownDefault: "true",
    default: DEFAULT_LIMITS.surface.introspection,
    takes: "true or false",
    means: "let clients ask for the schema; GraphiQL needs it",
    read: boolean,
  },
  ALLOWED_OPERATIONS: {
    shownDefault: "any",
    default: "any",
    takes: 'any, sdk, or the path of a folder of .graphql files, with a "/" in it',
    means:
      "GraphQL documents that are taken: any; the SDK's alone; or those and the ones in a folder, one a file",
    read: text(/^any$|^sdk$|^[^\0]*\/[^\0]*$/, ([value]) => value),
  },
  MAX_QUERY_TOKENS: {
    shownDefault: "6000",
    default: DEFAULT_LIMITS.document.maxTokens,
    takes: "a number from 100 to 1000000",
    means: "most words and marks of a GraphQL document",
    read: count(100, 1_000_000),
  },
  MAX_QUERY_DEPTH: {
    shownDefault: "15",
    default: DEFAULT_LIMITS.document.maxDepth,
    takes: "a number from 5 to 100",
    means: "how deep a document's fields may stand in each other",
    read: count(5, 100),
  },
  MAX_QUERY_ALIASES: {
    shownDefault: "50",
    default: DEFAULT_LIMITS.document.maxAliases,
    takes: "a number from 0 to 10000",
    means: "most aliases in a document",
    read: count(0, 10_000),
  },
  MAX_QUERY_DIRECTIVES: {
    shownDefault: "50",
    default: DEFAULT_LIMITS.document.maxDirectives,
    takes: "a number from 0 to 10000",
    means: "most directives in a document",
    read: count(0, 10_000),
  },
  MAX_QUERY_COST: {
    shownDefault: "60000",
    default: DEFAULT_LIMITS.document.maxCost,
    takes: "a number from 100 to 100000000",
    means:
      "what an operation may cost, about one for each value that may come back; lists multiply by page size",
    read: count(100, 100_000_000),
  },
  MAX_RESPONSE_BYTES: {
    shownDefault: "32MiB",
    default: DEFAULT_LIMITS.document.maxResponseBytes,
    takes: "bytes from 64KiB to 256MiB, plain or in KiB or MiB",
    means: "largest answer to a GraphQL request, as JSON; a larger one is QUERY_TOO_COMPLEX",
    read: bytes(64 * 1024, 256 * MiB),
  },
  MAX_SCANNED_ROWS: {
    shownDefault: "1000000",
    default: DEFAULT_LIMITS.document.maxScannedRows,
    takes: "a number from 1000 to 1000000000",
    means:
      "rows that the filters, orders and counts of one request may look at together; one list of each request may always",
    read: count(1000, 1_000_000_000),
  },
  RATE_LIMIT: {
    shownDefault: "5000",
    default: DEFAULT_LIMITS.usage.requestsPerSecond,
    takes: 'a number from 1 to 1000000, or "none"',
    means: "requests a second of one principal, evenly over time; more are RATE_LIMITED",
    read: countOrNone(1, 1_000_000),
  },
  RATE_LIMIT_BURST: {
    shownDefault: "300000",
    default: DEFAULT_LIMITS.usage.burst,
    takes: "a number from 1 to 100000000",
    means: "how many requests of one principal may come faster than RATE_LIMIT before any is refused",
    read: count(1, 100_000_000),
  },
  RATE_LIMIT_FAILED_AUTH: {
    shownDefault: "600",
    default: DEFAULT_LIMITS.usage.failedAttemptsPerMinute,
    takes: 'a number from 1 to 1000000, or "none"',
    means:
      "attempts to authenticate that may fail in a minute from one address; more are RATE_LIMITED, and not looked at",
    read: countOrNone(1, 1_000_000),
  },
  MAX_REQUESTS_PER_PRINCIPAL: {
    shownDefault: "2000",
    default: DEFAULT_LIMITS.usage.maxRequestsPerPrincipal,
    takes: "a number from 1 to 1000000",
    means: "requests and WebSockets of one principal that may be under way at once",
    read: count(1, 1_000_000),
  },
  MAX_SUBSCRIPTIONS_PER_PRINCIPAL: {
    shownDefault: "2000",
    default: DEFAULT_LIMITS.usage.maxSubscriptionsPerPrincipal,
    takes: "a number from 0 to 1000000",
    means: "subscriptions of one principal",
    read: count(0, 1_000_000),
  },
  MAX_SUBSCRIPTIONS: {
    shownDefault: "5000",
    default: DEFAULT_LIMITS.usage.maxSubscriptions,
    takes: "a number from 0 to 1000000",
    means: "subscriptions in all",
    read: count(0, 1_000_000),
  },
  MAX_HELD_BYTES: {
    shownDefault: "256MiB",
    default: DEFAULT_LIMITS.usage.maxHeldBytes,
    takes: "bytes from 1MiB, plain or in KiB, MiB, GiB or TiB",
    means:
      "memory that requests under way and answers that have not been sent may use together; one principal has at most half, and more is RATE_LIMITED",
    read: bytes(MiB, 2 ** 40),
  },
  MAX_CONNECTIONS: {
    shownDefault: "5000",
    default: DEFAULT_LIMITS.connections.maxConnections,
    takes: "a number from 1 to 1000000",
    means: "connections in all; one more is closed at once",
    read: count(1, 1_000_000),
  },
  MAX_CONNECTIONS_PER_ADDRESS: {
    shownDefault: "1500",
    default: DEFAULT_LIMITS.connections.maxConnectionsPerAddress,
    takes: "a number from 1 to 1000000",
    means: "connections of one address that is no trusted proxy; one more is closed at once",
    read: count(1, 1_000_000),
  },
  TRUSTED_PROXIES: {
    shownDefault: "–",
    default: DEFAULT_LIMITS.connections.trustedProxies,
    takes: 'addresses and networks such as "127.0.0.1" or "10.0.0.0/8", separated by commas',
    means: "proxies whose X-Forwarded-For or Forwarded header names the client's address",
    read: addresses,
  },
  REQUEST_TIMEOUT_SECONDS: {
    shownDefault: "30",
    default: DEFAULT_LIMITS.connections.requestTimeoutMs,
    takes: "seconds from 1 to 3600",
    means:
      "how long a request's headers may take to come, and its body may fall silent or short of 1 KiB a second",
    read: seconds(1, 3_600),
  },
  IDLE_TIMEOUT_SECONDS: {
    shownDefault: "60",
    default: DEFAULT_LIMITS.connections.idleTimeoutMs,
    takes: "seconds from 1 to 3600",
    means:
      "how long a connection may stand on which nothing is asked, or an answer of which nothing is taken",
    read: seconds(1, 3_600),
  },
} as const satisfies Record<string, Setting<unknown>>;

/** Variables that are known and not built yet: set, they are refused, for a server that ignored them would be another one than was asked for. */
export const UNBUILT_SETTINGS: Readonly<Record<string, string>> = {
  CATALOG_URL: "the catalog is a SQLite file under STORAGE_BASE_PATH",
  HOT_TIER_URL: "every tier stands under STORAGE_BASE_PATH",
  WARM_TIER_URL: "every tier stands under STORAGE_BASE_PATH",
  COLD_TIER_URL: "every tier stands under STORAGE_BASE_PATH",
};

export type SettingName = keyof typeof SETTINGS;
export type SettingValue<N extends SettingName> = z.output<(typeof SETTINGS)[N]["read"]>;
