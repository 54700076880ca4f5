import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { z } from "zod";

/** Of a backup's folder. One of a newer format is left alone. */
const FORMAT = 1;

export const MANIFEST_FILE = "tierkeep-backup.json";
export const CATALOG_FILE = "catalog.db";
export const CONFIG_FILE = "config.json";
export const AUDIT_KEY_FILE = "audit-key.pem";
export const LOGS_FOLDER = "logs";

const bytes = z.int().min(0);

const MANIFEST = z.object({
  format: z.literal(FORMAT),
  /** Of the tierkeep that took it. */
  version: z.string(),
  /** ISO 8601: everything that was acknowledged before is in it. */
  takenAt: z.iso.datetime(),
  /** The newest event in it. */
  seq: z.int().min(0),
  artifactCount: z.int().min(0),
  totalBytes: bytes,
  /** Files of artifacts' bytes; those of the smallest and newest may still be in the catalog. */
  objectCount: z.int().min(0),
  objectBytes: bytes,
  /** Its objects are hard links of the store's. */
  linked: z.boolean(),
  /** Artifacts whose bytes were not right when they were copied. They are not in it. */
  damaged: z.array(
    z.object({
      tenantId: z.string(),
      workflowId: z.string(),
      artifactId: z.string(),
      object: z.string(),
      problem: z.enum(["MISSING", "DAMAGED", "UNREADABLE"]),
    }),
  ),
  /** The store's audit log was lost when it was taken, so there is none in it. Default: false. */
  logMissing: z.boolean().optional(),
  /** Everything else in it: catalog, keys, audit log. */
  files: z.array(z.object({ path: z.string(), sizeBytes: bytes, checksum: z.string() })),
});

/** What a backup says of itself. It is written last: without it a folder is no backup. */
export type Manifest = z.infer<typeof MANIFEST>;

export type DamagedArtifact = Manifest["damaged"][number];

export function manifestText(manifest: Omit<Manifest, "format">): string {
  return `${JSON.stringify({ format: FORMAT, ...manifest }, null, 2)}\n`;
}

/** @throws Refused NOT_FOUND where there is no backup, BAD_USER_INPUT for one that this version does not know */
export async function readManifest(folder: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(join(folder, MANIFEST_FILE), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Refused(
      "NOT_FOUND",
      `${folder} is no backup: ${MANIFEST_FILE}, which is written last, ${code === "ENOENT" ? "is not there" : `cannot be read (${code})`}. Name a folder that \`tierkeep backup\` has finished.`,
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
      `The backup ${folder} has format ${format}, and this version of tierkeep knows formats up to ${FORMAT}. Use the newer version that took it.`,
    );
  }
  throw new Refused(
    "CHECKSUM_MISMATCH",
    `${join(folder, MANIFEST_FILE)} is damaged. Restore another backup, or look at this one by hand.`,
  );
}
