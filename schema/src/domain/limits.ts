/** Limits of one GraphQL document. */
export interface DocumentLimits {
  readonly maxTokens: number;
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxDirectives: number;
  /** The cost is about one for each value that the response may contain. */
  readonly maxCost: number;
  /** Bytes of one response as JSON. */
  readonly maxResponseBytes: number;
  /**
   * Rows that the filters, sorts and counts of one request may scan in total. The first list and the first
   * count of a request have no such limit.
   */
  readonly maxScannedRows: number;
}

/** Limits of concurrent work and of request rates. */
export interface UsageLimits {
  /** Average rate of one principal; null: unlimited. */
  readonly requestsPerSecond: number | null;
  /** Number of requests that may arrive at the same time. */
  readonly burst: number;
  /**
   * Failed authentication attempts of one address per minute; also the number that may arrive at the same
   * time. Null: unlimited.
   */
  readonly failedAttemptsPerMinute: number | null;
  /** Open requests, WebSockets and WebSocket operations of one principal. */
  readonly maxRequestsPerPrincipal: number;
  readonly maxSubscriptionsPerPrincipal: number;
  readonly maxSubscriptions: number;
  /** Total bytes of all GraphQL requests and messages in progress, except small ones. */
  readonly maxHeldBytes: number;
}

/** Limits of the number of connections, and of how long the server waits for a client. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Connections per address; for IPv6, per /64 network. Trusted proxies are not limited. */
  readonly maxConnectionsPerAddress: number;
  /** Addresses and networks of proxies whose X-Forwarded-For and Forwarded headers name the client. */
  readonly trustedProxies: readonly string[];
  /**
   * Maximum time in ms to receive a request's headers, and maximum pause in ms between parts of its body.
   */
  readonly requestTimeoutMs: number;
  /**
   * Time in ms after which an idle connection, or one whose client does not read the response, is closed.
   */
  readonly idleTimeoutMs: number;
}

/** Which parts of its schema a server shows, and which documents it accepts. */
export interface ApiSurface {
  readonly graphiql: boolean;
  readonly introspection: boolean;
  /** Allowed documents, as graphql-js prints them; null: any document. */
  readonly operations: ReadonlySet<string> | null;
}

/** All limits of a server. */
export interface Limits {
  readonly surface: ApiSurface;
  readonly connections: ConnectionLimits;
  readonly document: DocumentLimits;
  readonly usage: UsageLimits;
}

/**
 * The default limits. They exceed the needs of well-behaved clients: a document with 500 literal keys, or 500
 * nodes with every field that the SDK selects.
 */
export const DEFAULT_LIMITS: Limits = {
  surface: { graphiql: true, introspection: true, operations: null },
  connections: {
    maxConnections: 5_000,
    maxConnectionsPerAddress: 500,
    trustedProxies: [],
    requestTimeoutMs: 30_000,
    idleTimeoutMs: 60_000,
  },
  document: {
    maxTokens: 6_000,
    maxDepth: 15,
    maxAliases: 50,
    maxDirectives: 50,
    maxCost: 60_000,
    maxResponseBytes: 32 * 2 ** 20,
    maxScannedRows: 1_000_000,
  },
  // A single client on a small machine can reach this rate, and the burst lets it do so for a minute.
  usage: {
    requestsPerSecond: 5_000,
    burst: 300_000,
    // Enough for all clients of a large site whose tokens expire at the same moment.
    failedAttemptsPerMinute: 600,
    maxRequestsPerPrincipal: 2_000,
    maxSubscriptionsPerPrincipal: 2_000,
    maxSubscriptions: 5_000,
    maxHeldBytes: 256 * 2 ** 20,
  },
};
