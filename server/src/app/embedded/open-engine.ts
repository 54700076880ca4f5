import { randomBytes } from "node:crypto";
import type { Refused } from "@tierkeep/schema/domain/refusals";
import type { Catalog } from "../../catalog/catalog.ts";
import { unconfirmedReindex } from "../../catalog/changes/purge.ts";
import type { ArtifactRow, StoreIds } from "../../catalog/rows.ts";
import { Abandoned } from "../../engine/abandoned.ts";
import { Backlog } from "../../engine/backlog.ts";
import type { Clock } from "../../engine/clock.ts";
import { InFlight } from "../../engine/in-flight.ts";
import type { RandomBytes } from "../../engine/new-object.ts";
import { Reader } from "../../engine/read.ts";
import { Upkeep } from "../../engine/upkeep.ts";
import { Writer } from "../../engine/write.ts";
import { Adopter } from "../../integrity/adopter.ts";
import { Checker } from "../../integrity/checker.ts";
import { ContentRecovery } from "../../integrity/content-recovery.ts";
import { Repairer } from "../../integrity/repairer.ts";
import type { Engine } from "../../jobs/job-engine.ts";
import { EngineArtifacts } from "../../services/artifact-service.ts";
import { sealedRows } from "../../services/keyset-cursor.ts";
import { storeById } from "../../tiers/store-by-id.ts";
import type { TierStore } from "../../tiers/tier-store.ts";

/** Maximum number of inline bytes in the catalog. Above it, writers wait. */
const BACKLOG_BYTES = 256 * 1024 * 1024;

export interface EngineParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Source of random names for objects. Default: the system's. */
  readonly random?: RandomBytes;
  /** Every store that a row may name, by the id in rows. */
  readonly stores: ReadonlyMap<string, TierStore>;
  /** The store of each tier. */
  readonly storeIds: StoreIds;
  /** The store's key, 16 bytes: seals tokens that clients keep but must not read, such as cursors. */
  readonly storeKey: Uint8Array;
  /** A unique name of this process. Objects that other processes staged are abandoned. */
  readonly owner: string;
  /** Null: no limit. */
  readonly maxArtifactBytes: number | null;
  readonly backlogBytes?: number;
  /** Logs reads of content as events. Default: false. */
  readonly auditReads?: boolean;
  /** Returns why purges are refused now; null: they are allowed. */
  readonly purgeRefusal: () => Promise<Refused | null>;
  /** Whether garbage may be collected now: false during a backup. Default: always true. */
  readonly mayCollect?: () => boolean;
  /** Called with problems of background work, which the engine retries. */
  readonly onProblem: (message: string, error?: unknown) => void;
  readonly onDamage?: (row: ArtifactRow) => void;
  /** False: background work runs only in `drain`. Default: true. */
  readonly upkeepByItself?: boolean;
}

/** The engine, with a figure for the metrics. */
export interface OpenedEngine extends Engine {
  /** Inline bytes in the catalog that are not settled yet. */
  readonly backlogBytes: number;
}

/** Returns the refusal of purges while a reindex is unconfirmed; null: none. The commit of each purge checks this again. */
async function purgeGate(catalog: Catalog): Promise<Refused | null> {
  const jobId = await catalog.unconfirmedReindex();
  return jobId === null ? null : unconfirmedReindex(jobId);
}

/** Opens the engine and starts background work. */
export function openEngine(parts: EngineParts): OpenedEngine {
  const { catalog, clock, stores, storeIds, owner, maxArtifactBytes, onProblem } = parts;
  const { random = randomBytes } = parts;
  const purgeRefusal = async () => (await parts.purgeRefusal()) ?? (await purgeGate(catalog));
  const backlog = new Backlog(parts.backlogBytes ?? BACKLOG_BYTES);
  const abandoned = new Abandoned(catalog, clock, owner);
  const inFlight = new InFlight();
  const viewStore = [...stores.values()].find((store) => store.view !== null);
  const view = viewStore?.view ?? null;
  const reader = new Reader({ catalog, clock, stores, onDamage: parts.onDamage ?? (() => {}) });
  const upkeep = new Upkeep({
    catalog,
    clock,
    stores,
    view,
    backlog,
    abandoned,
    relocation: { random, reader, storeIds, owner },
    mayCollect: parts.mayCollect ?? (() => true),
    onProblem,
    byItself: parts.upkeepByItself ?? true,
  });
  const wakeUpkeep = () => upkeep.wake();
  const writer = new Writer({
    catalog,
    clock,
    random,
    backlog,
    storeOf: (tier) => storeById(stores, storeIds[tier]),
    owner,
    maxArtifactBytes,
    abandoned,
    wakeUpkeep,
  });
  const during = <T>(work: () => Promise<T>) => inFlight.during(work);
  const artifacts = new EngineArtifacts({
    catalog,
    rows: sealedRows(parts.storeKey),
    clock,
    storeIds,
    writer,
    reader,
    purgeRefusal,
    auditReads: parts.auditReads ?? false,
    during,
  });

  const adopter =
    viewStore && view
      ? new Adopter({ catalog, clock, random, store: viewStore, view, owner, storeIds, abandoned })
      : null;
  const checker = new Checker({ catalog, clock, reader, stores, view });

  // Continues the work that the last owner left.
  upkeep.wake();

  return {
    catalog,
    clock,
    stores,
    storeIds,
    artifacts,
    adopter,
    checker,
    repairer: new Repairer({ catalog, clock, stores, view, checker, adopter }),
    contentRecovery: new ContentRecovery({ catalog, clock, random, stores, owner, abandoned }),
    purgeRefusal,
    runBatch: (batch) =>
      during(async () => {
        const refused = batch.step === "PURGE" ? await purgeRefusal() : null;
        if (refused) throw refused;
        return catalog.commit(batch);
      }),
    drain: () => upkeep.drain(),
    get backlogBytes() {
      return backlog.bytes;
    },
    close: async (deadline) => {
      await inFlight.close(deadline);
      await upkeep.close(deadline);
    },
  };
}
