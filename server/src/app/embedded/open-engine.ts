import { randomBytes } from "node:crypto";
import type { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Catalog } from "../../catalog/catalog.ts";
import { unconfirmedReindex } from "../../catalog/decide/decide-purge.ts";
import type { ArtifactRow } from "../../catalog/rows.ts";
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
import type { TierStore } from "../../tiers/tier-store.ts";

/** Bytes that may ride in the catalog before writers wait. */
const BACKLOG_BYTES = 256 * 1024 * 1024;

export interface EngineParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Where objects get their names from. Default: the system's. */
  readonly random?: RandomBytes;
  /** By the id that rows carry; every store that a row may name. */
  readonly stores: ReadonlyMap<string, TierStore>;
  /** Where new content of a tier goes. */
  readonly storeOf: (tier: Tier) => TierStore;
  /** The store's, 16 bytes: seals what clients carry about but may not read. */
  readonly storeKey: Uint8Array;
  /** This process's name, never used before: what others staged is abandoned. */
  readonly owner: string;
  /** Null: none. */
  readonly maxArtifactBytes: number | null;
  readonly backlogBytes?: number;
  /** Reads of content are events too. Default false. */
  readonly auditReads?: boolean;
  /** Why nothing may be purged now; null: purging is allowed. */
  readonly purgeRefusal: () => Promise<Refused | null>;
  /** False: objects that nothing needs any more stay for now, for somebody copies what there was. Default: always true. */
  readonly mayCollect?: () => boolean;
  /** Told what went wrong behind the scenes; the engine goes on by itself. */
  readonly onProblem: (message: string, error?: unknown) => void;
  readonly onDamage?: (row: ArtifactRow) => void;
  /** False: settle, publish and collect run only when drained. Default true. */
  readonly upkeepByItself?: boolean;
}

/** What the engine shows to metrics beside its work. */
export interface OpenedEngine extends Engine {
  /** Bytes that ride in the catalog, not settled yet. */
  readonly backlogBytes: number;
}

/** Why nothing may be purged after a reindex; null: it may. The commit of each purge asks the same again. */
async function purgeGate(catalog: Catalog): Promise<Refused | null> {
  const jobId = await catalog.unconfirmedReindex();
  return jobId === null ? null : unconfirmedReindex(jobId);
}

/** Starts the engine and, in the background, recovery. */
export function openEngine(parts: EngineParts): OpenedEngine {
  const { catalog, clock, stores, storeOf, owner, maxArtifactBytes, onProblem } = parts;
  const { random = randomBytes } = parts;
  const purgeRefusal = async () => (await parts.purgeRefusal()) ?? (await purgeGate(catalog));
  const backlog = new Backlog(parts.backlogBytes ?? BACKLOG_BYTES);
  const abandoned = new Abandoned(catalog, clock, owner);
  const inFlight = new InFlight();
  const viewStore = storeOf("HOT");
  const { view } = viewStore;
  const upkeep = new Upkeep({
    catalog,
    clock,
    stores,
    viewStore,
    backlog,
    abandoned,
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
    storeOf,
    owner,
    maxArtifactBytes,
    abandoned,
    wakeUpkeep,
  });
  const reader = new Reader({ catalog, clock, stores, onDamage: parts.onDamage ?? (() => {}) });
  const during = <T>(work: () => Promise<T>) => inFlight.during(work);
  const artifacts = new EngineArtifacts({
    catalog,
    rows: sealedRows(parts.storeKey),
    clock,
    writer,
    reader,
    purgeRefusal,
    auditReads: parts.auditReads ?? false,
    during,
  });

  const adopter = view && new Adopter({ catalog, clock, random, store: viewStore, view, owner, abandoned });
  const checker = new Checker({ catalog, clock, reader, stores, view });

  // What the last owner left to do.
  upkeep.wake();

  return {
    catalog,
    clock,
    stores,
    artifacts,
    adopter,
    checker,
    repairer: new Repairer({ catalog, clock, stores, view, checker, adopter }),
    contentRecovery: new ContentRecovery({ catalog, clock, random, stores, owner, abandoned }),
    purgeRefusal,
    takeSteps: (changes) =>
      during(async () => {
        const purges = changes.some(
          (change) => change.kind === "lifecycleStep" && change.step === "PURGE" && !change.dryRun,
        );
        const refused = purges ? await purgeRefusal() : null;
        return refused ? changes.map(() => ({ ok: false as const, refused })) : catalog.commitAll(changes);
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
