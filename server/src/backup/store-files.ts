import { join } from "node:path";

/** Paths of the files of an embedded store that a backup copies and restores. */
export interface StoreFiles {
  /** STORAGE_BASE_PATH. */
  readonly root: string;
  /** The folder of the store's internal files. */
  readonly own: string;
  readonly catalog: string;
  readonly config: string;
  /** The private key that signs the audit log. */
  readonly auditKey: string;
  readonly ownerLock: string;
  /** Locked while a backup runs. */
  readonly backupLock: string;
  /** Exists during a restore, and after one that failed. */
  readonly unfinishedRestore: string;
  /** LOG_DIR. */
  readonly logs: string;
}

/** Both paths are absolute. */
export function storeFilesOf(root: string, logs: string): StoreFiles {
  const own = join(root, ".tierkeep");
  return {
    root,
    own,
    logs,
    catalog: join(own, "catalog.db"),
    config: join(own, "config.json"),
    auditKey: join(own, "audit-key.pem"),
    ownerLock: join(own, "owner-lock.db"),
    backupLock: join(own, "backup-lock.db"),
    unfinishedRestore: join(own, "unfinished-restore"),
  };
}
