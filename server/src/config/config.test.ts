import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { describe, expect, it } from "vitest";
import { type Environment, loadConfig, withStored } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { SETTINGS, UNIMPLEMENTED_SETTINGS } from "./settings.ts";

const load = (env: Environment) =>
  loadConfig(env, { scheduleProblem: (text) => (text === "0 3 * * *" ? null : "is no cron expression") });

function problem(env: Environment): string {
  try {
    load(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`);
}

const SECRET = "a secret of more than thirty-two bytes";

describe("loadConfig", () => {
  it("returns the documented defaults for an empty environment and for empty variables", () => {
    const defaults = load({});
    expect(defaults).toEqual({
      given: {},
      host: "127.0.0.1",
      port: 4000,
      publicUrl: null,
      corsOrigins: [],
      auth: null,
      storageBasePath: "artifacts",
      logLevel: "info",
      logDir: "logs",
      auditSigningKey: null,
      auditFileBytes: null,
      auditReads: false,
      retention: { hotDays: 7, warmDays: 30, coldDays: 90 },
      lifecycleSchedule: null,
      allowAsOf: false,
      durability: "fsync",
      scrubDays: 30,
      scrubRate: 16 * 1024 * 1024,
      publishTree: true,
      maxInlineBytes: 1024 * 1024,
      maxArtifactBytes: null,
      graphiql: true,
      introspection: true,
      allowedOperations: "any",
      limits: { ...DEFAULT_LIMITS, surface: undefined },
    });
    const empty = Object.keys({ ...SETTINGS, ...UNIMPLEMENTED_SETTINGS }).map((name) => [name, ""] as const);
    expect(load(Object.fromEntries(empty))).toEqual(defaults);
  });

  it("documents each default as the text that sets it", () => {
    for (const [name, { shownDefault }] of Object.entries(SETTINGS)) {
      if (shownDefault === "–" || shownDefault === "none") continue;
      expect({ ...load({ [name]: shownDefault }), given: {} }).toEqual(load({}));
    }
  });

  it("reads every variable", () => {
    expect(
      load({
        HOST: "::1",
        PORT: "0",
        PUBLIC_URL: "https://store.example.com",
        CORS_ORIGINS: "https://a.example.com, http://localhost:5173",
        AUTH_JWKS_URL: "https://issuer.example/keys",
        AUTH_ISSUER: "https://issuer.example",
        AUTH_AUDIENCE: "tierkeep",
        AUTH_API_KEYS: "false",
        STORAGE_BASE_PATH: "/srv/store",
        LOG_DIR: "/srv/log",
        AUDIT_SIGNING_KEY: "/etc/audit.pem",
        AUDIT_FILE_BYTES: "64MiB",
        AUDIT_READS: "true",
        HOT_RETENTION_DAYS: "0.5",
        WARM_RETENTION_DAYS: "1.25",
        COLD_RETENTION_DAYS: "never",
        LIFECYCLE_SCHEDULE: "0 3 * * *",
        TIERKEEP_ALLOW_AS_OF: "true",
        DURABILITY: "os",
        SCRUB_DAYS: "0.25",
        SCRUB_RATE: "1MiB",
        PUBLISH_TREE: "false",
        MAX_INLINE_BYTES: "64KiB",
        MAX_ARTIFACT_BYTES: "2 GiB",
        GRAPHIQL: "false",
        INTROSPECTION: "false",
        ALLOWED_OPERATIONS: "./operations",
        MAX_QUERY_TOKENS: "500",
        MAX_QUERY_DEPTH: "8",
        MAX_QUERY_ALIASES: "0",
        MAX_QUERY_DIRECTIVES: "3",
        MAX_QUERY_COST: "100000",
        MAX_RESPONSE_BYTES: "1MiB",
        MAX_SCANNED_ROWS: "5000",
        RATE_LIMIT: "none",
        RATE_LIMIT_BURST: "10",
        RATE_LIMIT_FAILED_AUTH: "6",
        MAX_REQUESTS_PER_PRINCIPAL: "7",
        MAX_SUBSCRIPTIONS_PER_PRINCIPAL: "8",
        MAX_SUBSCRIPTIONS: "9",
        MAX_HELD_BYTES: "2MiB",
        MAX_CONNECTIONS: "10",
        MAX_CONNECTIONS_PER_ADDRESS: "4",
        TRUSTED_PROXIES: "127.0.0.1, 10.0.0.0/8",
        REQUEST_TIMEOUT_SECONDS: "11",
        LOG_LEVEL: "debug",
        IDLE_TIMEOUT_SECONDS: "12",
      }),
    ).toEqual({
      given: {
        LOG_DIR: "/srv/log",
        AUDIT_SIGNING_KEY: "/etc/audit.pem",
        AUDIT_READS: "true",
        HOT_RETENTION_DAYS: "0.5",
        WARM_RETENTION_DAYS: "1.25",
        COLD_RETENTION_DAYS: "never",
        DURABILITY: "os",
        PUBLISH_TREE: "false",
      },
      host: "::1",
      port: 0,
      publicUrl: "https://store.example.com/",
      corsOrigins: ["https://a.example.com", "http://localhost:5173"],
      auth: {
        jwtSecret: null,
        previousJwtSecret: null,
        jwksUrl: "https://issuer.example/keys",
        issuer: "https://issuer.example",
        audience: "tierkeep",
        apiKeys: false,
      },
      storageBasePath: "/srv/store",
      logLevel: "debug",
      logDir: "/srv/log",
      auditSigningKey: "/etc/audit.pem",
      auditFileBytes: 67108864,
      auditReads: true,
      retention: { hotDays: 0.5, warmDays: 1.25, coldDays: null },
      lifecycleSchedule: "0 3 * * *",
      allowAsOf: true,
      durability: "os",
      scrubDays: 0.25,
      scrubRate: 1048576,
      publishTree: false,
      maxInlineBytes: 65536,
      maxArtifactBytes: 2147483648,
      graphiql: false,
      introspection: false,
      allowedOperations: "./operations",
      limits: {
        document: {
          maxTokens: 500,
          maxDepth: 8,
          maxAliases: 0,
          maxDirectives: 3,
          maxCost: 100000,
          maxResponseBytes: 1048576,
          maxScannedRows: 5000,
        },
        usage: {
          requestsPerSecond: null,
          burst: 10,
          failedAttemptsPerMinute: 6,
          maxRequestsPerPrincipal: 7,
          maxSubscriptionsPerPrincipal: 8,
          maxSubscriptions: 9,
          maxHeldBytes: 2097152,
        },
        connections: {
          maxConnections: 10,
          maxConnectionsPerAddress: 4,
          trustedProxies: ["127.0.0.1", "10.0.0.0/8"],
          requestTimeoutMs: 11_000,
          idleTimeoutMs: 12_000,
        },
      },
    });
  });

  it("uses the store's settings for unset variables, and checks the retention of both together", () => {
    const stored = { HOT_RETENTION_DAYS: "1", WARM_RETENTION_DAYS: "2", COLD_RETENTION_DAYS: "365" };
    const checks = { scheduleProblem: () => null };
    expect(loadConfig({ COLD_RETENTION_DAYS: "3" }, checks, stored)).toMatchObject({
      retention: { hotDays: 1, warmDays: 2, coldDays: 3 },
      given: { COLD_RETENTION_DAYS: "3" },
      publishTree: true,
    });
    expect(() => loadConfig({ HOT_RETENTION_DAYS: "2" }, checks, stored)).toThrow(ConfigError);
    const config = load({ AUDIT_READS: "true" });
    expect(withStored(config, { AUDIT_READS: "false", DURABILITY: "os" })).toMatchObject({
      auditReads: true,
      durability: "os",
    });
  });

  it("returns a frozen object", () => {
    const config = load({ AUTH_JWT_SECRET: SECRET });
    for (const part of [
      config,
      config.auth,
      config.retention,
      config.corsOrigins,
      config.limits,
      config.limits.document,
      config.limits.usage,
      config.limits.connections,
    ])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it.each([
    ["HOST", "127.0.0.256"],
    ["HOST", "http://127.0.0.1"],
    ["AUTH_JWKS_URL", "http://issuer.example/keys"],
    ["AUTH_JWKS_URL", "https://user:pass@issuer.example/keys"],
    ["AUTH_JWKS_URL", "ftp://issuer.example/keys"],
    ["PORT", "http"],
    ["PORT", "65536"],
    ["PORT", "-1"],
    ["PUBLIC_URL", "store.example.com"],
    ["PUBLIC_URL", "https://user:pass@store.example.com"],
    ["CORS_ORIGINS", "*"],
    ["CORS_ORIGINS", "https://a.example.com/page"],
    ["CORS_ORIGINS", "null"],
    ["HOT_RETENTION_DAYS", "seven"],
    ["SCRUB_DAYS", "off"],
    ["SCRUB_DAYS", "-1"],
    ["SCRUB_RATE", "0"],
    ["SCRUB_RATE", "1MB"],
    ["HOT_RETENTION_DAYS", "-1"],
    ["HOT_RETENTION_DAYS", "1e3"],
    ["WARM_RETENTION_DAYS", "NaN"],
    ["COLD_RETENTION_DAYS", "Infinity"],
    ["LIFECYCLE_SCHEDULE", "at night"],
    ["TIERKEEP_ALLOW_AS_OF", "yes"],
    ["DURABILITY", "none"],
    ["PUBLISH_TREE", "FALSE"],
    ["MAX_INLINE_BYTES", "17MiB"],
    ["MAX_INLINE_BYTES", "1MB"],
    ["MAX_ARTIFACT_BYTES", "0"],
    ["AUDIT_FILE_BYTES", "4095"],
    ["MAX_ARTIFACT_BYTES", "1.5GiB"],
    ["ALLOWED_OPERATIONS", "skd"],
    ["MAX_QUERY_DEPTH", "4"],
    ["MAX_QUERY_COST", "1e6"],
    ["STORAGE_BASE_PATH", "a\0b"],
  ])("rejects %s=%j in one line that names the variable, its value and the valid values", (name, value) => {
    const message = problem({ [name]: value });
    expect(message).toContain(name);
    expect(message).toContain(JSON.stringify(value));
    expect(message).toContain(SETTINGS[name as keyof typeof SETTINGS].accepts);
    expect(message).not.toContain("\n");
  });

  it.each(["0.0.0.0", "::", "192.168.1.4", "example.com", "127.0.0.1.example.com"])(
    "listens on %s only with authentication",
    (host) => {
      expect(problem({ HOST: host })).toMatch(/every client is an administrator; set AUTH_/);
      expect(load({ HOST: host, AUTH_JWT_SECRET: SECRET }).host).toBe(host);
    },
  );

  it.each(["localhost", "127.0.0.1", "127.8.9.10", "::1"])("listens on %s without authentication", (host) => {
    expect(load({ HOST: host }).host).toBe(host);
  });

  it("accepts API keys when AUTH_API_KEYS is true, and in addition to JWTs unless it is false", () => {
    expect(load({}).auth).toBeNull();
    expect(load({ AUTH_API_KEYS: "false" }).auth).toBeNull();
    expect(load({ AUTH_API_KEYS: "true", HOST: "0.0.0.0" }).auth).toMatchObject({ apiKeys: true });
    expect(load({ AUTH_JWT_SECRET: SECRET }).auth).toMatchObject({ apiKeys: true });
    expect(load({ AUTH_JWT_SECRET: SECRET, AUTH_API_KEYS: "false" }).auth).toMatchObject({ apiKeys: false });
  });

  it("reads the previous JWT secret in addition to the current one", () => {
    const previous = `${SECRET} before`;
    const { auth } = load({ AUTH_JWT_SECRET: SECRET, AUTH_JWT_SECRET_PREVIOUS: previous });
    expect(auth).toMatchObject({ jwtSecret: SECRET, previousJwtSecret: previous });
  });

  it.each([
    ["https://issuer.example/keys", "https://issuer.example/keys"],
    ["http://127.0.0.1:8080/keys", "http://127.0.0.1:8080/keys"],
    ["http://[::1]:8080/keys", "http://[::1]:8080/keys"],
    ["/etc/keys.json", "file:///etc/keys.json"],
    ["file:///etc/keys.json", "file:///etc/keys.json"],
  ])("accepts %s as the location of a key set", (given, url) => {
    expect(load({ AUTH_JWKS_URL: given }).auth?.jwksUrl).toBe(url);
  });

  it.each([
    [{ AUTH_JWT_SECRET: SECRET, AUTH_JWKS_URL: "/keys.json" }, "AUTH_JWT_SECRET and AUTH_JWKS_URL are both"],
    [{ AUTH_ISSUER: "https://issuer.example" }, "AUTH_ISSUER is set but has no effect without"],
    [{ AUTH_AUDIENCE: "tierkeep" }, "AUTH_AUDIENCE is set but has no effect without"],
    [{ AUTH_JWT_SECRET: "hunter2 is too short" }, "AUTH_JWT_SECRET is invalid; expected a secret"],
    [
      { AUTH_JWT_SECRET: SECRET, AUTH_JWT_SECRET_PREVIOUS: "hunter2 is too short" },
      "AUTH_JWT_SECRET_PREVIOUS is invalid; expected a secret",
    ],
    [{ AUTH_JWT_SECRET_PREVIOUS: SECRET }, "AUTH_JWT_SECRET_PREVIOUS is set without AUTH_JWT_SECRET;"],
    [
      { AUTH_JWKS_URL: "/keys.json", AUTH_JWT_SECRET_PREVIOUS: SECRET },
      "AUTH_JWT_SECRET_PREVIOUS is set without AUTH_JWT_SECRET;",
    ],
    [
      { AUTH_JWT_SECRET: SECRET, AUTH_JWT_SECRET_PREVIOUS: SECRET },
      "AUTH_JWT_SECRET_PREVIOUS is the same secret as AUTH_JWT_SECRET",
    ],
  ])("rejects %j without repeating a secret", (env, expected) => {
    const message = problem(env);
    expect(message).toContain(expected);
    expect(message).not.toMatch(/hunter2|thirty-two/);
  });

  it.each(Object.keys(UNIMPLEMENTED_SETTINGS))(
    "rejects %s, which is not implemented, without repeating its value",
    (name) => {
      const message = problem({ [name]: "s3cret://x" });
      expect(message).toContain(`${name} is set but not implemented`);
      expect(message).not.toContain("s3cret");
    },
  );

  it.each([
    ["7", "7", "90"],
    ["7", "6", "90"],
    ["7", "30", "30"],
    ["never", "30", "90"],
    ["7", "never", "90"],
    ["7", "30", "0"],
  ])("rejects retention that does not increase: %s, %s, %s", (hot, warm, cold) => {
    expect(
      problem({ HOT_RETENTION_DAYS: hot, WARM_RETENTION_DAYS: warm, COLD_RETENTION_DAYS: cold }),
    ).toMatch(/must be more than (HOT|WARM)_RETENTION_DAYS, which is/);
  });

  it.each([
    ["never", "never", "never"],
    ["7", "never", "never"],
    ["0", "0.001", "never"],
  ])("accepts retention that increases: %s, %s, %s", (hot, warm, cold) => {
    load({ HOT_RETENTION_DAYS: hot, WARM_RETENTION_DAYS: warm, COLD_RETENTION_DAYS: cold });
  });

  it("reports all problems together", () => {
    const message = problem({ PORT: "x", DURABILITY: "y", CATALOG_URL: "postgres://z" });
    for (const name of ["PORT", "DURABILITY", "CATALOG_URL"]) expect(message).toContain(name);
  });
});
