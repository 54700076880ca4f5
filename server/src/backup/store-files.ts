/** Where the files of an embedded store are that a backup takes or puts back. */
export interface StoreFiles {
  /** STORAGE_BASE_PATH. */
  readonly root: string;
  /** The folder of what is the store's own. */
  readonly own: string;
  readonly catalog: string;
  readonly config: string;
  readonly auditKey: string;
  readonly ownerLock: string;
  readonly backupLock: string;
  readonly unfinishedRestore: string;
  /** LOG_DIR. */
  readonly logs: string;
}
