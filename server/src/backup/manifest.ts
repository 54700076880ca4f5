import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { z } from "zod";

/** Format of a backup's folder. Backups of a newer format are rejected. */
const FORMAT = 1;

export const MANIFEST_FILE = "tierkeep-backup.json";
export const CATALOG_FILE = "catalog.db";
export const CONFIG_FILE = "config.json";
export const AUDIT_KEY_FILE = "audit-key.pem";
export const LOGS_FOLDER = "logs";

const bytes = z.int().min(0);

const MANIFEST = z.object({
  format: z.literal(FORMAT),
  /** Version of the tierkeep that made the backup. */
  version: z.string(),
  /** ISO 8601: every change that was acknowledged before this time is in the backup. */
  takenAt: z.iso.datetime(),
  /** The newest event in the backup. */
  seq: z.int().min(0),
  artifactCount: z.int().min(0),
  totalBytes: bytes,
  /** Number of objects. The content of small and new artifacts may still be inline in the catalog. */
  objectCount: z.int().min(0),
  objectBytes: bytes,
  /** Objects are hard links of the store's. */
  linked: z.boolean(),
  /** Artifacts whose bytes were damaged when they were copied. They are not in the backup. */
  damaged: z.array(
    z.object({
      tenantId: z.string(),
      workflowId: z.string(),
      artifactId: z.string(),
      object: z.string(),
      problem: z.enum(["MISSING", "DAMAGED", "UNREADABLE"]),
    }),
  ),
  /** The store's audit log was lost, so the backup has none. Default: false. */
  logMissing: z.boolean().optional(),
  /** All other files of the backup: catalog, keys, audit log. */
  files: z.array(z.object({ path: z.string(), sizeBytes: bytes, checksum: z.string() })),
});

/** The manifest of a backup. It is written last: a folder without it is not a backup. */
export type Manifest = z.infer<typeof MANIFEST>;

export type DamagedArtifact = Manifest["damaged"][number];

export function manifestText(manifest: Omit<Manifest, "format">): string {
  return `${JSON.stringify({ format: FORMAT, ...manifest }, null, 2)}\n`;
}

/** @throws Refused NOT_FOUND where there is no backup, BAD_USER_INPUT for an unsupported format */
export async function readManifest(folder: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(join(folder, MANIFEST_FILE), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Refused(
      "NOT_FOUND",
      `${folder} is not a backup: ${MANIFEST_FILE}, which is written last, ${code === "ENOENT" ? "does not exist" : `cannot be read (${code})`}. Name the folder of a finished \`tierkeep backup\`.`,
    );
  }
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {}
  const parsed = MANIFEST.safeParse(stored);
  if (parsed.success) return parsed.data;
  const { format } = (stored ?? {}) as { readonly format?: unknown };
  if (typeof format === "number" && format > FORMAT) {
    throw new Refused(
      "BAD_USER_INPUT",
      `The backup ${folder} has format ${format}, and this version of tierkeep supports formats up to ${FORMAT}. Use the newer version that made it.`,
    );
  }
  throw new Refused(
    "CHECKSUM_MISMATCH",
    `${join(folder, MANIFEST_FILE)} is damaged. Restore another backup, or inspect this one manually.`,
  );
}
