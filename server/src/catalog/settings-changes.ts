import type { Attribution } from "./attribution.ts";

/** Replaces the store's settings and logs what changed. Result: null. */
export interface ChangeSettingsChange extends Attribution {
  readonly kind: "changeSettings";
  /** The settings as JSON text. The catalog does not interpret it. */
  readonly settings: string;
  /** One event each. Empty: no event is written, as when a store is created. */
  readonly events: readonly SettingsEvent[];
}

export interface SettingsEvent {
  readonly type: "SETTING_CHANGED" | "RETENTION_CONFIRMED";
  /** A sentence that names the setting, its old value and its new value. */
  readonly message: string;
}
