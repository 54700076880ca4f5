import { z } from "zod";

const DOCUMENT = z.object({
  /** Increases with each change, so that the newer of two copies is known. */
  revision: z.int().min(0),
  /** Values by name. A newer version may have stored further names. */
  values: z.record(
    z.string(),
    z.object({
      /** In the format of the environment variable. A path is relative to the store's folder, or absolute. */
      value: z.string(),
      from: z.enum(["default", "environment"]),
    }),
  ),
  /** Fingerprint of the public key that belongs to AUDIT_SIGNING_KEY. */
  auditKey: z.string(),
  /** Earlier, longer values of COLD_RETENTION_DAYS. Purges use them until the instant, or until the new value is confirmed. */
  heldRetention: z.array(z.object({ value: z.string(), until: z.iso.datetime() })),
});

/** The settings of a store, as stored in its config.json and its catalog. */
export type StoredSettings = z.infer<typeof DOCUMENT>;

export type PendingRetention = StoredSettings["heldRetention"][number];

/** @returns null if it is not a valid settings document */
export function parsedSettings(stored: unknown): StoredSettings | null {
  const result = DOCUMENT.safeParse(stored);
  return result.success ? result.data : null;
}
