import type { Config } from "../../config/config.ts";
import { SETTINGS } from "../../config/settings.ts";
import {
  STORE_SETTINGS,
  type StoreSettingName,
  type StoreSettingTexts,
  storeSettingValue,
} from "../../config/store-settings.ts";
import { openedPath, storedPath } from "./paths.ts";
import { daysOf, pendingAfterChange } from "./retention-in-force.ts";
import type { StoredSettings } from "./stored.ts";

/** A changed setting, with both values as text for people. */
export interface SettingChange {
  readonly name: StoreSettingName;
  readonly before: string;
  readonly after: string;
  /** True for a shortened retention, by which artifacts may become due. */
  readonly shortened: boolean;
}

/** Returns the fingerprint of the key at this path; null: the file has no valid key. */
export type KeyIdAt = (path: string) => string | null;

/** Returns the settings of a new store: those of the environment, else the defaults. */
export function initialSettings(config: Config, auditKey: string): StoredSettings {
  const values = STORE_SETTINGS.map((name) => [name, initialValue(config, name)] as const);
  return { revision: 1, values: Object.fromEntries(values), auditKey, heldRetention: [] };
}

function initialValue({ storageBasePath, given }: Config, name: StoreSettingName) {
  const text = given[name];
  return {
    value: storedText(storageBasePath, name, text ?? SETTINGS[name].shownDefault),
    from: text === undefined ? ("default" as const) : ("environment" as const),
  };
}

/** Returns the texts of stored settings for the store's current path. Paths in them are absolute. */
export function textsOf(root: string, { values }: StoredSettings): StoreSettingTexts {
  const texts = STORE_SETTINGS.flatMap((name) => {
    const text = values[name]?.value;
    return text === undefined ? [] : [[name, openedText(root, name, text)]];
  });
  return Object.fromEntries(texts);
}

export interface Contradiction {
  readonly name: StoreSettingName;
  readonly given: string;
  /** The stored value; paths are absolute. */
  readonly stored: string;
}

/** Returns the settings whose values in the environment and in the store differ. */
export function contradictions(
  { storageBasePath: root, given }: Pick<Config, "storageBasePath" | "given">,
  settings: StoredSettings,
  keyIdAt: KeyIdAt,
): readonly Contradiction[] {
  return STORE_SETTINGS.flatMap((name) => {
    const text = given[name];
    const stored = settings.values[name]?.value ?? SETTINGS[name].shownDefault;
    if (text === undefined || isSame(root, name, storedText(root, name, text), stored)) return [];
    // The same key at another path is no contradiction.
    if (name === "AUDIT_SIGNING_KEY" && text !== "own" && keyIdAt(text) === settings.auditKey) return [];
    return [{ name, given: text, stored: openedText(root, name, stored) }];
  });
}

/** Returns the settings after those of the environment were applied, and the changes. */
export function withGiven(
  { storageBasePath: root, given }: Pick<Config, "storageBasePath" | "given">,
  settings: StoredSettings,
  auditKey: string,
  now: number,
): { readonly settings: StoredSettings; readonly changes: readonly SettingChange[] } {
  const values = { ...settings.values };
  let { heldRetention } = settings;
  const changes: SettingChange[] = [];
  for (const name of STORE_SETTINGS) {
    const before = values[name]?.value ?? SETTINGS[name].shownDefault;
    const text = given[name];
    const after = text === undefined ? before : storedText(root, name, text);
    values[name] ??= { value: before, from: "default" };
    const isOtherKey = name === "AUDIT_SIGNING_KEY" && auditKey !== settings.auditKey;
    if (isSame(root, name, before, after) && !isOtherKey) continue;
    values[name] = { value: after, from: "environment" };
    const shown = (value: string, key: string) =>
      name === "AUDIT_SIGNING_KEY"
        ? `${openedText(root, name, value)} (key ${key})`
        : openedText(root, name, value);
    changes.push({
      name,
      before: shown(before, settings.auditKey),
      after: shown(after, auditKey),
      shortened: name.endsWith("_RETENTION_DAYS") && daysOf(after) < daysOf(before),
    });
    if (name === "COLD_RETENTION_DAYS") heldRetention = pendingAfterChange(heldRetention, before, after, now);
  }
  const revision = settings.revision + (changes.length > 0 ? 1 : 0);
  return { settings: { ...settings, revision, values, auditKey, heldRetention }, changes };
}

/** Returns the differences between two copies of a store's settings. */
export function differences(
  root: string,
  older: StoredSettings,
  newer: StoredSettings,
): readonly SettingChange[] {
  return STORE_SETTINGS.flatMap((name) => {
    const before = openedText(root, name, older.values[name]?.value ?? SETTINGS[name].shownDefault);
    const after = openedText(root, name, newer.values[name]?.value ?? SETTINGS[name].shownDefault);
    return isSame(root, name, before, after) ? [] : [{ name, before, after, shortened: false }];
  });
}

/** Returns the message for the event of this change. */
export function changeMessage(
  { name, before, after }: SettingChange,
  { heldRetention }: StoredSettings,
): string {
  const changed = `${name} changed from ${before} to ${after}.`;
  const longest = heldRetention.toSorted((one, other) => daysOf(other.value) - daysOf(one.value))[0];
  if (name !== "COLD_RETENTION_DAYS" || longest === undefined) return changed;
  return `${changed} Purges use ${longest.value} until ${longest.until}, unless an operator confirms the new value.`;
}

function isPath(name: StoreSettingName, text: string): boolean {
  return name === "LOG_DIR" || (name === "AUDIT_SIGNING_KEY" && text !== "own");
}

/** Returns the text to store for a value of the environment. */
export function storedText(root: string, name: StoreSettingName, text: string): string {
  return isPath(name, text) ? storedPath(root, text) : text;
}

/** Returns a stored value for use in any working directory: paths are absolute. */
export function openedText(root: string, name: StoreSettingName, text: string): string {
  return isPath(name, text) ? openedPath(root, text) : text;
}

/** Returns whether two stored texts mean the same value. */
function isSame(root: string, name: StoreSettingName, one: string, other: string): boolean {
  if (one === other) return true;
  if (isPath(name, one) && isPath(name, other)) return openedPath(root, one) === openedPath(root, other);
  const [left, right] = [storeSettingValue(name, one), storeSettingValue(name, other)];
  return left !== null && right !== null && left.value === right.value;
}
