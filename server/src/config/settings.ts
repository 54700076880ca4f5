import type { z } from "zod";
import type { Setting } from "./setting.ts";
import { AUDIT_LOG_SETTINGS } from "./settings/audit-log.ts";
import { AUTHENTICATION_SETTINGS } from "./settings/authentication.ts";
import { CLIENT_LIMIT_SETTINGS } from "./settings/client-limits.ts";
import { GRAPHQL_SETTINGS } from "./settings/graphql.ts";
import { LIFECYCLE_SETTINGS } from "./settings/lifecycle.ts";
import { SERVER_SETTINGS } from "./settings/server.ts";
import { STORAGE_SETTINGS } from "./settings/storage.ts";

/** The settings under the headings that documentation and `tierkeep serve --help` show. */
export const SETTING_GROUPS: readonly SettingGroup[] = [
  { title: "Server and network", settings: SERVER_SETTINGS },
  { title: "Authentication", settings: AUTHENTICATION_SETTINGS },
  { title: "Audit log", settings: AUDIT_LOG_SETTINGS },
  { title: "Retention and lifecycle", settings: LIFECYCLE_SETTINGS },
  { title: "Storage", settings: STORAGE_SETTINGS },
  { title: "GraphQL", settings: GRAPHQL_SETTINGS },
  { title: "Limits for clients", settings: CLIENT_LIMIT_SETTINGS },
];

export interface SettingGroup {
  readonly title: string;
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
}

/**
 * Every environment variable that this version reads. `belongsTo: "store"` marks a setting that is stored with the store:
 * only `serve` changes it, and its default applies to a new store only.
 */
export const SETTINGS = {
  ...SERVER_SETTINGS,
  ...AUTHENTICATION_SETTINGS,
  ...AUDIT_LOG_SETTINGS,
  ...LIFECYCLE_SETTINGS,
  ...STORAGE_SETTINGS,
  ...GRAPHQL_SETTINGS,
  ...CLIENT_LIMIT_SETTINGS,
} as const satisfies Record<string, Setting<unknown>>;

/**
 * Known variables that this version does not implement, each with what applies instead. A server refuses to start when
 * one is set, because ignoring it would give the operator another store than the one configured.
 */
export const UNIMPLEMENTED_SETTINGS: Readonly<Record<string, string>> = {
  CATALOG_URL: "the catalog is a SQLite file under STORAGE_BASE_PATH",
  HOT_TIER_URL: "every tier is a folder under STORAGE_BASE_PATH",
  WARM_TIER_URL: "every tier is a folder under STORAGE_BASE_PATH",
  COLD_TIER_URL: "every tier is a folder under STORAGE_BASE_PATH",
};

export type SettingName = keyof typeof SETTINGS;
export type SettingValue<N extends SettingName> = z.output<(typeof SETTINGS)[N]["read"]>;
