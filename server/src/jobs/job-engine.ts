import type { Refused } from "@tierkeep/schema/domain/refusals";
import type { ArtifactService } from "@tierkeep/schema/services/artifacts";
import type { Catalog } from "../catalog/catalog.ts";
import type { RunBatchChange } from "../catalog/job-changes.ts";
import type { ItemOutcome, StoreIds } from "../catalog/rows.ts";
import type { Clock } from "../engine/clock.ts";
import type { Adopter } from "../integrity/adopter.ts";
import type { Checker } from "../integrity/checker.ts";
import type { ContentRecovery } from "../integrity/content-recovery.ts";
import type { Repairer } from "../integrity/repairer.ts";
import type { TierStore } from "../tiers/tier-store.ts";

/** The parts of the engine that jobs and services use. */
export interface Engine {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly artifacts: ArtifactService;
  /** By the store id in rows. */
  readonly stores: ReadonlyMap<string, TierStore>;
  /** The store of each tier. */
  readonly storeIds: StoreIds;
  /** Null without a view. */
  readonly adopter: Adopter | null;
  readonly checker: Checker;
  readonly repairer: Repairer;
  readonly contentRecovery: ContentRecovery;
  /** Commits a batch of a job and starts the follow-up work. @throws Refused, also where nothing may be purged now */
  runBatch(batch: RunBatchChange): Promise<readonly ItemOutcome[] | null>;
  /**
   * Why nothing may be purged now: the audit log cannot be written or is behind, or a reindex is not
   * confirmed. Null: purging is allowed.
   */
  purgeRefusal(): Promise<Refused | null>;
  /**
   * Works until nothing is left to settle, relocate, publish or collect. False: something failed and will be retried.
   */
  drain(): Promise<boolean>;
  /**
   * Accepts no more work, finishes what runs, then settles and publishes until `deadline` (ms since the
   * epoch, system clock).
   */
  close(deadline: number): Promise<void>;
}
