import { join } from "node:path";

/** Where the files of an embedded store are that a backup takes or puts back. */
export interface StoreFiles {
  /** STORAGE_BASE_PATH. */
  readonly root: string;
  /** The folder of what is the store's own. */
  readonly own: string;
  readonly catalog: string;
  readonly config: string;
  /** The private key that signs the audit log. */
  readonly auditKey: string;
  readonly ownerLock: string;
  /** Held while a backup is taken. */
  readonly backupLock: string;
  /** There while a backup is being put back, and after that has failed. */
  readonly unfinishedRestore: string;
  /** LOG_DIR. */
  readonly logs: string;
}

/** Both absolute. */
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
