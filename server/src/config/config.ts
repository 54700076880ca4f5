import type { Limits } from "@tierkeep/schema/domain/limits";
import { ConfigError } from "./config-error.ts";
import { isLoopback, type Setting } from "./setting.ts";
import type { LogLevel } from "./settings/server.ts";
import { SETTINGS, type SettingName, type SettingValue, UNIMPLEMENTED_SETTINGS } from "./settings.ts";
import { similarNames } from "./similar-names.ts";
import {
  retentionProblems,
  STORE_SETTINGS,
  type StoreConfig,
  type StoreSettingTexts,
  storeConfigOf,
} from "./store-settings.ts";

/** The validated settings of the environment and of the store. */
export interface Config extends StoreConfig {
  /** The store's settings that the environment sets, as text. */
  readonly given: StoreSettingTexts;
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  readonly publicUrl: string | null;
  readonly corsOrigins: readonly string[];
  /** Null: no authentication; every client is an administrator. */
  readonly auth: AuthConfig | null;
  readonly storageBasePath: string;
  readonly auditFileBytes: number | null;
  /** A cron expression. */
  readonly lifecycleSchedule: string | null;
  readonly allowAsOf: boolean;
  /** Null: no scrubbing. */
  readonly scrubDays: number | null;
  /** Bytes per second. */
  readonly scrubRate: number;
  readonly maxInlineBytes: number;
  readonly maxArtifactBytes: number | null;
  readonly logLevel: LogLevel;
  readonly graphiql: boolean;
  readonly introspection: boolean;
  /** "any", "sdk", or the path of a folder. */
  readonly allowedOperations: string;
  readonly limits: Omit<Limits, "surface">;
}

/** How callers authenticate. */
export interface AuthConfig {
  readonly jwtSecret: string | null;
  /** The previous secret. Tokens that it signs are accepted as well. */
  readonly previousJwtSecret: string | null;
  /** An http(s): or file: URL. */
  readonly jwksUrl: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
  readonly apiKeys: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Checks that need code outside of config. */
export interface ConfigChecks {
  /** Returns why the text is not a cron expression, as a phrase that follows the value, or null if it is one. */
  readonly scheduleProblem: (expression: string) => string | null;
}

/**
 * Reads and validates the environment. An empty variable counts as unset.
 *
 * @param stored the settings of the store, for variables that the environment does not set
 * @throws ConfigError naming every variable that is invalid or not implemented in this version
 */
export function loadConfig(env: Environment, checks: ConfigChecks, stored: StoreSettingTexts = {}): Config {
  const problems: string[] = [];
  const given = (name: string) => env[name] || undefined;
  const ofStore: Readonly<Record<string, string | undefined>> = stored;

  function read<N extends SettingName>(name: N): SettingValue<N> {
    const setting = SETTINGS[name];
    const text = given(name) ?? ofStore[name];
    if (text === undefined) return setting.default as SettingValue<N>;
    const result = setting.read.safeParse(text);
    if (!result.success) problems.push(invalid(name, text));
    return (result.success ? result.data : setting.default) as SettingValue<N>;
  }

  for (const [name, instead] of Object.entries(UNIMPLEMENTED_SETTINGS)) {
    // The message omits the value, which may be a secret.
    if (given(name) !== undefined) {
      problems.push(`${name} is set but not implemented in this version: ${instead}. Unset it`);
    }
  }
  for (const [name, meant] of similarNames(Object.keys(env), [
    ...Object.keys(SETTINGS),
    ...Object.keys(UNIMPLEMENTED_SETTINGS),
  ])) {
    problems.push(`${name} is not a setting. Did you mean ${meant}? Rename or unset ${name}`);
  }
  const retention = {
    hotDays: read("HOT_RETENTION_DAYS"),
    warmDays: read("WARM_RETENTION_DAYS"),
    coldDays: read("COLD_RETENTION_DAYS"),
  };
  const schedule = read("LIFECYCLE_SCHEDULE");
  const [jwtSecret, jwksUrl] = [read("AUTH_JWT_SECRET"), read("AUTH_JWKS_URL")];
  const apiKeys = read("AUTH_API_KEYS");
  const hasJwt = jwtSecret !== null || jwksUrl !== null;
  const auth: AuthConfig = {
    jwtSecret,
    previousJwtSecret: read("AUTH_JWT_SECRET_PREVIOUS"),
    jwksUrl,
    apiKeys: apiKeys ?? hasJwt,
    issuer: read("AUTH_ISSUER"),
    audience: read("AUTH_AUDIENCE"),
  };
  const config: Config = {
    given: Object.freeze(
      Object.fromEntries(STORE_SETTINGS.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
    ),
    host: read("HOST"),
    port: read("PORT"),
    publicUrl: read("PUBLIC_URL"),
    corsOrigins: Object.freeze(read("CORS_ORIGINS")),
    auth: hasJwt || apiKeys ? Object.freeze(auth) : null,
    storageBasePath: read("STORAGE_BASE_PATH"),
    logDir: read("LOG_DIR"),
    auditSigningKey: read("AUDIT_SIGNING_KEY"),
    auditFileBytes: read("AUDIT_FILE_BYTES"),
    auditReads: read("AUDIT_READS"),
    retention: Object.freeze(retention),
    lifecycleSchedule: schedule,
    allowAsOf: read("TIERKEEP_ALLOW_AS_OF"),
    durability: read("DURABILITY"),
    scrubDays: read("SCRUB_DAYS"),
    scrubRate: read("SCRUB_RATE"),
    publishTree: read("PUBLISH_TREE"),
    maxInlineBytes: read("MAX_INLINE_BYTES"),
    maxArtifactBytes: read("MAX_ARTIFACT_BYTES"),
    logLevel: read("LOG_LEVEL"),
    graphiql: read("GRAPHIQL"),
    introspection: read("INTROSPECTION"),
    allowedOperations: read("ALLOWED_OPERATIONS"),
    limits: Object.freeze({
      connections: Object.freeze({
        maxConnections: read("MAX_CONNECTIONS"),
        maxConnectionsPerAddress: read("MAX_CONNECTIONS_PER_ADDRESS"),
        trustedProxies: Object.freeze(read("TRUSTED_PROXIES")),
        requestTimeoutMs: read("REQUEST_TIMEOUT_SECONDS"),
        idleTimeoutMs: read("IDLE_TIMEOUT_SECONDS"),
      }),
      document: Object.freeze({
        maxTokens: read("MAX_QUERY_TOKENS"),
        maxDepth: read("MAX_QUERY_DEPTH"),
        maxAliases: read("MAX_QUERY_ALIASES"),
        maxDirectives: read("MAX_QUERY_DIRECTIVES"),
        maxCost: read("MAX_QUERY_COST"),
        maxResponseBytes: read("MAX_RESPONSE_BYTES"),
        maxScannedRows: read("MAX_SCANNED_ROWS"),
      }),
      usage: Object.freeze({
        requestsPerSecond: read("RATE_LIMIT"),
        burst: read("RATE_LIMIT_BURST"),
        failedAttemptsPerMinute: read("RATE_LIMIT_FAILED_AUTH"),
        maxRequestsPerPrincipal: read("MAX_REQUESTS_PER_PRINCIPAL"),
        maxSubscriptionsPerPrincipal: read("MAX_SUBSCRIPTIONS_PER_PRINCIPAL"),
        maxSubscriptions: read("MAX_SUBSCRIPTIONS"),
        maxHeldBytes: read("MAX_HELD_BYTES"),
      }),
    }),
  };
  const authentication = given("AUTH_JWT_SECRET") ?? given("AUTH_JWKS_URL") ?? (apiKeys || undefined);
  if (authentication === undefined && !isLoopback(config.host)) {
    problems.push(
      `HOST is ${shown(config.host)}, which other machines can reach, and without authentication every client is an administrator; set AUTH_JWT_SECRET, AUTH_JWKS_URL or AUTH_API_KEYS=true, or listen on 127.0.0.1`,
    );
  }
  if (problems.length === 0) {
    problems.push(...retentionProblems(retention), ...authProblems(auth));
    const problem = schedule === null ? null : checks.scheduleProblem(schedule);
    if (schedule !== null && problem !== null) {
      problems.push(
        `LIFECYCLE_SCHEDULE ${shown(schedule)} ${problem}; expected ${SETTINGS.LIFECYCLE_SCHEDULE.accepts}`,
      );
    }
  }
  if (problems.length > 0) throw new ConfigError(oneLine(`${problems.join("; ")}.`));
  return Object.freeze(config);
}

/**
 * Returns the configuration with other stored settings. Variables of the environment still take precedence.
 *
 * @throws ConfigError
 */
export function withStored(config: Config, stored: StoreSettingTexts): Config {
  return Object.freeze({ ...config, ...storeConfigOf({ ...stored, ...config.given }) });
}

function authProblems(auth: AuthConfig): string[] {
  const { jwtSecret, previousJwtSecret, jwksUrl, issuer, audience } = auth;
  const problems: string[] = [];
  const hasJwt = jwtSecret !== null || jwksUrl !== null;
  if (jwtSecret !== null && jwksUrl !== null) {
    problems.push("AUTH_JWT_SECRET and AUTH_JWKS_URL are both set; unset one of them");
  }
  if (previousJwtSecret !== null && jwtSecret === null) {
    problems.push(
      "AUTH_JWT_SECRET_PREVIOUS is set without AUTH_JWT_SECRET; set AUTH_JWT_SECRET to the secret that signs tokens now, or unset AUTH_JWT_SECRET_PREVIOUS",
    );
  } else if (previousJwtSecret !== null && previousJwtSecret === jwtSecret) {
    problems.push(
      "AUTH_JWT_SECRET_PREVIOUS is the same secret as AUTH_JWT_SECRET; set AUTH_JWT_SECRET to the new secret, or unset AUTH_JWT_SECRET_PREVIOUS",
    );
  }
  for (const [name, value] of [
    ["AUTH_ISSUER", issuer],
    ["AUTH_AUDIENCE", audience],
  ] as const) {
    if (value !== null && !hasJwt) {
      problems.push(
        `${name} is set but has no effect without AUTH_JWT_SECRET or AUTH_JWKS_URL; set one of them, or unset ${name}`,
      );
    }
  }
  return problems;
}

function invalid(name: SettingName, given: string): string {
  const setting: Setting<unknown> = SETTINGS[name];
  return setting.secret
    ? `${name} is invalid; expected ${setting.accepts}`
    : `${name} is ${shown(given)}; expected ${setting.accepts}${decimalHint(given)}`;
}

/** Returns how to write a size that was given in a decimal unit. Such sizes are rejected as ambiguous. */
function decimalHint(given: string): string {
  const [, digits, letter] = /^(\d+) ?([KMGT])B?$/i.exec(given) ?? [];
  if (digits === undefined || letter === undefined) return "";
  const prefix = letter.toUpperCase();
  const decimal = Number(digits) * 1_000 ** ("KMGT".indexOf(prefix) + 1);
  return ` (write ${digits}${prefix}iB, or ${decimal} for ${digits} decimal ${prefix}B)`;
}

function shown(value: string): string {
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}

function oneLine(message: string): string {
  return message.replaceAll(/\s*\n\s*/g, " ");
}
