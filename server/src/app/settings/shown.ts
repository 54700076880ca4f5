import { STORE_SETTINGS, storeConfigOf } from "../../config/store-settings.ts";
import { openedText, textsOf } from "./changes.ts";
import type { StoreFile } from "./config-file.ts";
import { policyInForce } from "./retention-in-force.ts";

/** A setting of the store as `tierkeep settings` shows it. */
export interface ShownSetting {
  readonly name: string;
  /** The value in the format of the environment variable; paths are absolute. */
  readonly value: string;
  readonly from: "default" | "environment";
  /** AUDIT_SIGNING_KEY only: the fingerprint of the public key. */
  readonly fingerprint: string | null;
  /** The value that purges use until the instant (ISO 8601); null: the setting's value is in force. */
  readonly pending: { readonly inForce: string; readonly until: string } | null;
}

export function shownSettings(root: string, file: StoreFile | null, now: number): readonly ShownSetting[] {
  const settings = file?.settings ?? null;
  if (settings === null) return [];
  const { retention } = storeConfigOf(textsOf(root, settings));
  const { coldDays, upcomingColdDays } = policyInForce(retention, settings.heldRetention, now);
  const last = upcomingColdDays?.at(-1);
  return STORE_SETTINGS.flatMap((name) => {
    const stored = settings.values[name];
    if (stored === undefined) return [];
    const isPending = name === "COLD_RETENTION_DAYS" && last !== undefined;
    return {
      name,
      value: openedText(root, name, stored.value),
      from: stored.from,
      fingerprint: name === "AUDIT_SIGNING_KEY" ? settings.auditKey : null,
      pending: isPending
        ? { inForce: String(coldDays ?? "never"), until: new Date(last.from).toISOString() }
        : null,
    };
  });
}
