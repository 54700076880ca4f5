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

/** What the rest of the server may ask of the engine. */
export interface Engine {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly artifacts: ArtifactService;
  /** By the id that is in rows. */
  readonly stores: ReadonlyMap<string, TierStore>;
  /** Null: there is no published tree that could be adopted. */
  readonly adopter: Adopter | null;
  readonly checker: Checker;
  readonly repairer: Repairer;
  readonly contentRecovery: ContentRecovery;
  /**
   * Takes the steps of jobs, each wholly or not at all, in this order, and lets what follows from them begin.
   * A refused purge step (audit log behind) comes back refused; nothing of it has happened.
   */
  takeSteps<C extends LifecycleStepChange | RestoreItemChange>(
    changes: readonly C[],
  ): Promise<readonly CommitOutcome<C>[]>;
  /** Why nothing may be purged now (the audit log cannot be written or lags, a reindex is not confirmed); null: purging is allowed. */
  purgeRefusal(): Promise<Refused | null>;
  /** Works until nothing is left to settle, publish or collect. False: something failed, and will be tried again. */
  drain(): Promise<boolean>;
  /** Stops taking work, finishes what runs, settles and publishes what it can until `deadline` (ms since the epoch by the system's clock). */
  close(deadline: number): Promise<void>;
}
