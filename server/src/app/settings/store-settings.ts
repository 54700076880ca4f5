import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { Catalog } from "../../catalog/catalog.ts";
import type { ChangeSettingsChange } from "../../catalog/settings-changes.ts";
import type { Clock } from "../../engine/clock.ts";
import type { StorePaths } from "../embedded/store-files.ts";
import type { SettingChange } from "./changes.ts";
import { type StoreFile, writeStoreFile } from "./config-file.ts";
import { policyInForce } from "./retention-in-force.ts";
import type { StoredSettings } from "./stored.ts";

export interface StoreSettingsParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly paths: StorePaths;
  readonly file: StoreFile;
  readonly settings: StoredSettings;
  /** The retention policy of the settings. */
  readonly policy: RetentionPolicy;
  /** Settings that this start changed. */
  readonly changes: readonly SettingChange[];
}

/** The settings of an open store. */
export class StoreSettings {
  readonly changes: readonly SettingChange[];
  readonly #parts: StoreSettingsParts;
  #settings: StoredSettings;
  #confirming: Promise<boolean> | null = null;

  constructor(parts: StoreSettingsParts) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.changes = parts.changes;
  }

  /** Returns the retention policy in force. */
  policy(): RetentionPolicy {
    return policyInForce(this.#parts.policy, this.#settings.heldRetention, this.#parts.clock.now());
  }

  /**
   * Makes purges use a shortened retention immediately. Durable when it resolves.
   *
   * @returns false if there is no shortened retention that waits
   */
  confirmRetention(actor: string): Promise<boolean> {
    this.#confirming ??= this.#confirm(actor).finally(() => {
      this.#confirming = null;
    });
    return this.#confirming;
  }

  async #confirm(actor: string): Promise<boolean> {
    const { catalog, clock, paths, file, policy } = this.#parts;
    const now = clock.now();
    const inForce = this.policy();
    if (inForce.upcomingColdDays === undefined) return false;
    const settings = { ...this.#settings, revision: this.#settings.revision + 1, heldRetention: [] };
    const days = (value: number | null) => value ?? "never";
    await catalog.commit(
      settingsChange(settings, { at: now, actor }, [
        {
          type: "RETENTION_CONFIRMED",
          message: `COLD_RETENTION_DAYS ${days(policy.coldDays)} is confirmed. Purges used ${days(inForce.coldDays)} until now.`,
        },
      ]),
    );
    this.#settings = settings;
    await writeStoreFile(paths, { ...file, settings });
    return true;
  }
}

export function settingsChange(
  settings: StoredSettings,
  stamp: { readonly at: number; readonly actor: string },
  events: ChangeSettingsChange["events"],
): ChangeSettingsChange {
  return { kind: "changeSettings", ...stamp, settings: JSON.stringify(settings), events };
}
