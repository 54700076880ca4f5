import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { addresses, count, host, origins, path, publicUrl, type Setting, seconds, text } from "../setting.ts";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

export const SERVER_SETTINGS = {
  STORAGE_BASE_PATH: {
    shownDefault: "artifacts",
    default: "artifacts",
    accepts: "the path of a folder",
    description: "folder of the store",
    read: path,
  },
  HOST: {
    shownDefault: "127.0.0.1",
    default: "127.0.0.1",
    accepts: "an address or name of this machine, such as 127.0.0.1 or 0.0.0.0",
    description:
      "address to listen on; an address that other machines can reach requires authentication (AUTH_…)",
    read: host,
  },
  PORT: {
    shownDefault: "4000",
    default: 4000,
    accepts: "a port number from 0 to 65535; 0 is any free port",
    description: "port to listen on",
    read: text(/^\d{1,5}$/, ([value]) => (Number(value) <= 65535 ? Number(value) : undefined)),
  },
  PUBLIC_URL: {
    shownDefault: "–",
    default: null,
    accepts:
      "an http:// or https:// URL without credentials, query or fragment, whose path does not start with /artifacts or /graphql",
    description:
      "URL at which clients reach the server, if it differs from HOST and PORT. Its path prefixes every URL in responses, and web pages of its origin may call the API",
    read: publicUrl,
  },
  CORS_ORIGINS: {
    shownDefault: "–",
    default: [],
    accepts: 'origins such as "https://app.example.com", separated by commas',
    description: "other origins whose web pages may call the API",
    read: origins,
  },
  TRUSTED_PROXIES: {
    shownDefault: "–",
    default: DEFAULT_LIMITS.connections.trustedProxies,
    accepts: 'addresses and networks such as "127.0.0.1" or "10.0.0.0/8", separated by commas',
    description: "proxies whose X-Forwarded-For or Forwarded header supplies the client's address",
    read: addresses,
  },
  MAX_CONNECTIONS: {
    shownDefault: "5000",
    default: DEFAULT_LIMITS.connections.maxConnections,
    accepts: "a number from 1 to 1000000",
    description: "open connections in total; further ones are closed immediately",
    read: count(1, 1_000_000),
  },
  MAX_CONNECTIONS_PER_ADDRESS: {
    shownDefault: "500",
    default: DEFAULT_LIMITS.connections.maxConnectionsPerAddress,
    accepts: "a number from 1 to 1000000",
    description:
      "open connections from one address that is not a trusted proxy; further ones are closed immediately",
    read: count(1, 1_000_000),
  },
  REQUEST_TIMEOUT_SECONDS: {
    shownDefault: "30",
    default: DEFAULT_LIMITS.connections.requestTimeoutMs,
    accepts: "seconds from 1 to 3600",
    description:
      "seconds within which a request's headers must arrive; also the longest time that its body may pause or stay below 1 KiB/s",
    read: seconds(1, 3_600),
  },
  IDLE_TIMEOUT_SECONDS: {
    shownDefault: "60",
    default: DEFAULT_LIMITS.connections.idleTimeoutMs,
    accepts: "seconds from 1 to 3600",
    description:
      "seconds after which an idle connection, or one whose client does not read the response, is closed",
    read: seconds(1, 3_600),
  },
  LOG_LEVEL: {
    shownDefault: "info",
    default: "info",
    accepts: "trace, debug, info, warn, error, fatal or silent",
    description:
      "lowest level of the messages that the server logs to stderr; health probes are logged at `debug`",
    read: text(/^(?:trace|debug|info|warn|error|fatal|silent)$/, ([value]) => value as LogLevel),
  },
} as const satisfies Record<string, Setting<unknown>>;
