import type { Refused } from "@tierkeep/schema/domain/refusals";
import type { ArtifactService } from "@tierkeep/schema/services/artifacts";
import type { Catalog, CommitOutcome } from "../catalog/catalog.ts";
import type { LifecycleStepChange, RestoreItemChange } from "../catalog/job-changes.ts";
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
  /** Null without a view. */
  readonly adopter: Adopter | null;
  readonly checker: Checker;
  readonly repairer: Repairer;
  readonly contentRecovery: ContentRecovery;
  /**
   * Commits steps of jobs in this order, each one atomically, and starts the follow-up work. A purge step
   * that may not run now is returned as refused and changes nothing.
   */
  takeSteps<C extends LifecycleStepChange | RestoreItemChange>(
    changes: readonly C[],
  ): Promise<readonly CommitOutcome<C>[]>;
  /**
   * Why nothing may be purged now: the audit log cannot be written or is behind, or a reindex is not
   * confirmed. Null: purging is allowed.
   */
  purgeRefusal(): Promise<Refused | null>;
  /**
   * Works until nothing is left to settle, publish or collect. False: something failed and will be retried.
   */
  drain(): Promise<boolean>;
  /**
   * Accepts no more work, finishes what runs, then settles and publishes until `deadline` (ms since the
   * epoch, system clock).
   */
  close(deadline: number): Promise<void>;
}
