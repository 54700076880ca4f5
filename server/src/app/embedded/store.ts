import type { Services } from "@tierkeep/schema/services/services";
import type { Logger } from "pino";
import type { Config } from "../../config/config.ts";
import type { Clock } from "../../engine/clock.ts";
import type { OwnerIdentity } from "../../http/auth/owner-challenge.ts";
import type { Handler } from "../../http/handler.ts";
import type { Opening } from "../settings/store-opening.ts";
import type { StoreSettings } from "../settings/store-settings.ts";
import { StartProblem } from "../start-problem.ts";
import type { OpenedEngine } from "./open-engine.ts";
import type { StorePaths } from "./store-files.ts";

export interface OpenStoreOptions {
  /** What opening may do to the store. */
  readonly opening: Opening;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  readonly log: Logger;
  /** Runs LIFECYCLE_SCHEDULE and the scrubber. Default: false. */
  readonly schedule?: boolean | undefined;
  /** False: the catalog of an older version is changed without a copy. Default: true. */
  readonly migrationCopy?: boolean | undefined;
  /** Number of lines of the server's log that could not be written so far. Default: none. */
  readonly droppedLogLines?: (() => number) | undefined;
}

/** An embedded store that this process owns, with everything that works on it. */
export interface Store {
  readonly paths: StorePaths;
  readonly identity: OwnerIdentity;
  /** The settings in force. */
  readonly config: Config;
  readonly settings: StoreSettings;
  /** True if this call created the store. */
  readonly isNew: boolean;
  /** When a start found the catalog missing, ISO 8601; null: never, or a reindex has rebuilt it since. */
  readonly catalogLostAt: string | null;
  /** Number of tenants with folders in the published tree while the catalog is empty: they wait for a reindex. */
  readonly unindexedTenants: number;
  readonly services: Services;
  readonly engine: OpenedEngine;
  readonly handler: Handler;
  /** First part of a shutdown: pauses jobs. Requests that wait for one get the RUNNING job. */
  pauseWork(): Promise<void>;
  /** Settles, publishes and exports what it can until `deadline` (ms since the epoch), then releases the store. */
  close(deadline?: number): Promise<void>;
}

/** Another process owns the store. */
export class StoreOwnedError extends StartProblem {
  constructor(root: string) {
    super(`The store ${root} belongs to another process.`);
  }
}
