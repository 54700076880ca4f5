import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import { ConfigError } from "./config-error.ts";
import { SETTINGS, type SettingName, type SettingValue } from "./settings.ts";

type Entries = typeof SETTINGS;

/** A setting that is stored with the store. Every command uses the stored value. */
export type StoreSettingName = {
  [N in SettingName]: Entries[N] extends { readonly belongsTo: "store" } ? N : never;
}[SettingName];

export const STORE_SETTINGS: readonly StoreSettingName[] = Object.entries(SETTINGS)
  .filter(([, setting]) => "belongsTo" in setting)
  .map(([name]) => name as StoreSettingName);

/** The texts of settings, as in environment variables. A missing text means the default. */
export type StoreSettingTexts = Readonly<Partial<Record<StoreSettingName, string>>>;

/** The part of the configuration that belongs to the store. */
export interface StoreConfig {
  readonly logDir: string;
  /** Path of a PEM file; null: the store's own key. */
  readonly auditSigningKey: string | null;
  readonly auditReads: boolean;
  readonly retention: RetentionPolicy;
  readonly durability: "fsync" | "os";
  readonly publishTree: boolean;
}

/** Parses the text of a setting. Returns null if the text is invalid. */
export function storeSettingValue<N extends StoreSettingName>(
  name: N,
  text: string | undefined,
): { readonly value: SettingValue<N> } | null {
  const { default: byDefault, read } = SETTINGS[name];
  if (text === undefined) return { value: byDefault as SettingValue<N> };
  const result = read.safeParse(text);
  return result.success ? { value: result.data as SettingValue<N> } : null;
}

/**
 * Parses the settings of a store.
 *
 * @throws ConfigError for an invalid text, and for retention that does not increase from tier to tier
 */
export function storeConfigOf(texts: StoreSettingTexts): StoreConfig {
  const problems: string[] = [];
  function read<N extends StoreSettingName>(name: N): SettingValue<N> {
    const found = storeSettingValue(name, texts[name]);
    if (found === null)
      problems.push(`${name} is ${JSON.stringify(texts[name])}; expected ${SETTINGS[name].accepts}`);
    return (found?.value ?? SETTINGS[name].default) as SettingValue<N>;
  }
  const retention = Object.freeze({
    hotDays: read("HOT_RETENTION_DAYS"),
    warmDays: read("WARM_RETENTION_DAYS"),
    coldDays: read("COLD_RETENTION_DAYS"),
  });
  const config = {
    logDir: read("LOG_DIR"),
    auditSigningKey: read("AUDIT_SIGNING_KEY"),
    auditReads: read("AUDIT_READS"),
    retention,
    durability: read("DURABILITY"),
    publishTree: read("PUBLISH_TREE"),
  };
  if (problems.length === 0) problems.push(...retentionProblems(retention));
  if (problems.length > 0) throw new ConfigError(`${problems.join("; ")}.`);
  return config;
}

/**
 * Returns the problems of a retention policy. Each threshold must exceed the one before it; otherwise an artifact would be
 * due for two steps at once. "never" exceeds every number.
 */
export function retentionProblems({ hotDays, warmDays, coldDays }: RetentionPolicy): string[] {
  const problems: string[] = [];
  for (const [name, days, before, beforeDays] of [
    ["WARM_RETENTION_DAYS", warmDays, "HOT_RETENTION_DAYS", hotDays],
    ["COLD_RETENTION_DAYS", coldDays, "WARM_RETENTION_DAYS", warmDays],
  ] as const) {
    if (days === null) continue;
    if (beforeDays === null || days <= beforeDays) {
      problems.push(`${name} is ${days} but must be more than ${before}, which is ${beforeDays ?? "never"}`);
    }
  }
  return problems;
}
