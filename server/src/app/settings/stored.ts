import { z } from "zod";

const DOCUMENT = z.object({
  /** Rises by one with each change, so that the newer of two copies is known. */
  revision: z.int().min(0),
  /** By name. A newer version may have stored more names than this one knows. */
  values: z.record(
    z.string(),
    z.object({
      /** As an environment variable would hold it. A path is relative to the store's folder or absolute. */
      value: z.string(),
      from: z.enum(["default", "environment"]),
    }),
  ),
  /** Fingerprint of the public key that belongs to AUDIT_SIGNING_KEY. */
  auditKey: z.string(),
  /** Earlier, longer values of COLD_RETENTION_DAYS. Purges use them until the instant, or until they are confirmed away. */
  heldRetention: z.array(z.object({ value: z.string(), until: z.iso.datetime() })),
});

/** The settings of a store, as its config.json and its catalog hold them. */
export type StoredSettings = z.infer<typeof DOCUMENT>;

export type PendingRetention = StoredSettings["heldRetention"][number];

/** @returns null where it is no settings document */
export function parsedSettings(stored: unknown): StoredSettings | null {
  const result = DOCUMENT.safeParse(stored);
  return result.success ? result.data : null;
}
