/** How much one GraphQL document may ask for. */
export interface DocumentLimits {
  readonly maxTokens: number;
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxDirectives: number;
  /** About one for each value that may come back. */
  readonly maxCost: number;
  /** Bytes of one answer as JSON. */
  readonly maxResponseBytes: number;
  /** Rows that filters, orders and counts of one request may look at together. The first one of a request always may. */
  readonly maxScannedRows: number;
}

/** How much may be under way at once, and begun in a time. */
export interface UsageLimits {
  /** Of one principal, evenly over time; null: as many as it likes. */
  readonly requestsPerSecond: number | null;
  /** How many of them may come at once. */
  readonly burst: number;
  /** Failed attempts to authenticate, of one address; as many may come at once. Null: as many as there are. */
  readonly failedAttemptsPerMinute: number | null;
  /** Requests, WebSockets and their operations that are under way, of one principal. */
  readonly maxRequestsPerPrincipal: number;
  readonly maxSubscriptionsPerPrincipal: number;
  readonly maxSubscriptions: number;
  /** Of GraphQL requests and messages that are not small, all together while they are under way. */
  readonly maxHeldBytes: number;
}

/** How long a server waits for the other end of a connection, and for how many. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Of one address; of IPv6, of one network of 64 bits. Trusted proxies may have any number. */
  readonly maxConnectionsPerAddress: number;
  /** Addresses and networks of proxies whose X-Forwarded-For and Forwarded name the client. */
  readonly trustedProxies: readonly string[];
  /** A request's headers must have come in this time, and its body may keep the server waiting as long, ms. */
  readonly requestTimeoutMs: number;
  /** A connection on which nothing is asked, and an answer of which nothing is taken, may stand this long, ms. */
  readonly idleTimeoutMs: number;
}

/** What a server shows of its schema, and which documents it takes. */
export interface ApiSurface {
  readonly graphiql: boolean;
  readonly introspection: boolean;
  /** As graphql-js prints them; null: any. */
  readonly operations: ReadonlySet<string> | null;
}

/** How much a server takes of whoever calls. */
export interface Limits {
  readonly surface: ApiSurface;
  readonly connections: ConnectionLimits;
  readonly document: DocumentLimits;
  readonly usage: UsageLimits;
}

/** Beyond what programs need that mean well: 500 keys written out; 500 nodes with all that the SDK asks of every type. */
export const DEFAULT_LIMITS: Limits = {
  surface: { graphiql: true, introspection: true, operations: null },
  connections: {
    maxConnections: 5_000,
    maxConnectionsPerAddress: 1_500,
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
  // One program alone on a small machine may reach it and keep it up for a minute.
  usage: {
    requestsPerSecond: 5_000,
    burst: 300_000,
    // All programs of a large site, when what they came with has expired at the same moment.
    failedAttemptsPerMinute: 600,
    maxRequestsPerPrincipal: 2_000,
    maxSubscriptionsPerPrincipal: 2_000,
    maxSubscriptions: 5_000,
    maxHeldBytes: 256 * 2 ** 20,
  },
};
