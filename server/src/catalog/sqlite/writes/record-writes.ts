import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Loaded, RecordStore } from "../../commit/run-group.ts";
import type { CounterOwner } from "../../miscounts.ts";
import type { ArtifactFacts, Effect, InlineContent, RecordKind, Records, Ref } from "../../records.ts";
import type { ObjectId } from "../../rows.ts";
import type { BacklogReads } from "../reads/backlog-reads.ts";
import type { AnswerWrites } from "./answers.ts";
import type { ApiKeyWrites } from "./api-keys.ts";
import type { ArtifactWrites } from "./artifact-writes.ts";
import type { EventLog } from "./event-log.ts";
import type { JobWrites } from "./job-writes.ts";
import type { Names } from "./names.ts";
import type { ObjectWrites } from "./object-writes.ts";
import type { PlanWrites } from "./plan-writes.ts";
import type { ScrubWrites } from "./scrub-writes.ts";
import type { SettingsWrites } from "./settings.ts";
import type { UsageOwner } from "./usage-corrections.ts";
import type { UsageCounters } from "./usage-counters.ts";

/** The parts of a writer that effects are applied to. */
export interface WriterParts {
  readonly names: Names;
  readonly log: EventLog;
  readonly usage: UsageCounters;
  readonly artifacts: ArtifactWrites;
  readonly objects: ObjectWrites;
  readonly answers: AnswerWrites;
  readonly jobs: JobWrites;
  readonly plans: PlanWrites;
  readonly scrub: ScrubWrites;
  readonly apiKeys: ApiKeyWrites;
  readonly settings: SettingsWrites;
  readonly backlog: BacklogReads;
}

/** How a driver reads and writes the records of one kind. What no change does is absent. */
interface RecordTable<K extends RecordKind> {
  load?(key: Records[K]["key"]): Records[K]["value"] | null;
  put?(key: Records[K]["key"], value: Records[K]["value"]): void;
  delete?(key: Records[K]["key"]): void;
}

type RecordTables = { readonly [K in RecordKind]: RecordTable<K> };

/** Loads records and applies effects, within the open transaction of a writer. */
export class RecordWrites implements RecordStore {
  readonly #parts: WriterParts;
  readonly #tables: RecordTables;
  /** The inline content of the effects that are being applied. A row refers to its content. */
  readonly #inline = new Map<ObjectId, InlineContent>();

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#tables = tablesOf(parts, this.#inline);
  }

  load(refs: readonly Ref[]): Loaded {
    this.#parts.artifacts.clear();
    const values = refs.map(([kind, key]) => {
      const table: RecordTable<RecordKind> = this.#tables[kind];
      if (table.load === undefined) throw new Error(`No change reads records of the kind ${kind}.`);
      return table.load(key);
    });
    return { values, seq: this.#parts.log.newest };
  }

  apply(effects: readonly Effect[]): void {
    this.#inline.clear();
    for (const effect of effects) {
      if ("put" in effect && effect.put === "inline") this.#inline.set(effect.key, effect.value);
    }
    for (const effect of effects) this.#apply(effect);
    this.#parts.jobs.flush();
  }

  #apply(effect: Effect): void {
    const { jobs, log, names, usage } = this.#parts;
    if ("put" in effect) {
      const table: RecordTable<RecordKind> = this.#tables[effect.put];
      if (table.put === undefined) throw new Error(`No change puts records of the kind ${effect.put}.`);
      table.put(effect.key, effect.value);
    } else if ("delete" in effect) {
      const table: RecordTable<RecordKind> = this.#tables[effect.delete];
      if (table.delete === undefined)
        throw new Error(`No change deletes records of the kind ${effect.delete}.`);
      table.delete(effect.key);
    } else if ("append" in effect) {
      if (effect.append === "event") log.append(effect.value);
      else jobs.addFinding(effect.key, effect.value);
    } else if (effect.add === "jobCounts") jobs.addCounts(effect.key, effect.by);
    else if (effect.add === "correction") usage.correct(ownerOf(names, effect.key), effect.by);
    else {
      const { tenantId, workflowId } = effect.key;
      usage.add(names.workflow(tenantId, workflowId), effect.tier, effect.count, effect.sizeBytes);
    }
  }
}

/** @throws Error for a name that the catalog does not have */
function ownerOf(names: Names, { tenantId, workflowId }: CounterOwner): UsageOwner {
  if (tenantId === null) return { of: "total", id: null };
  const found = workflowId === null ? names.findTenant(tenantId) : names.findWorkflow(tenantId, workflowId);
  if (found === null) throw new Error("The owner of usage counters does not exist.");
  return { of: workflowId === null ? "tenant" : "workflow", id: found.id };
}

const nothing = () => {};

function tablesOf(parts: WriterParts, inline: ReadonlyMap<ObjectId, InlineContent>): RecordTables {
  const { names, artifacts, objects, answers, jobs, plans, scrub, apiKeys, settings, backlog } = parts;
  const putArtifact = (key: ArtifactKey, row: ArtifactFacts) =>
    artifacts.put(key, row, inline.get(row.object) ?? null);
  return {
    artifact: {
      load: (key) => artifacts.artifact(key),
      put: putArtifact,
      delete: (key) => artifacts.delete(key),
    },
    facts: { load: (key) => artifacts.facts(key), put: putArtifact },
    inline: { put: nothing, delete: (object) => artifacts.deleteInline(object) }, // is stored with its artifact
    scope: {
      load: ({ tenantId, workflowId }) =>
        (workflowId === "" ? names.findTenant(tenantId) : names.findWorkflow(tenantId, workflowId))?.present
          ? true
          : null,
      put: ({ tenantId, workflowId }) =>
        workflowId === ""
          ? names.makeTenantPresent(names.tenant(tenantId))
          : names.makeWorkflowPresent(names.workflow(tenantId, workflowId)),
    },
    staged: {
      load: (object) => objects.staged(object),
      put: (object, value) => objects.putStaged(object, value),
      delete: (object) => objects.deleteStaged(object),
    },
    garbage: {
      load: (object) => objects.garbage(object),
      put: (object, value) => objects.putGarbage(object, value),
    },
    unpublished: {
      load: (key) => objects.unpublished(key),
      put: (key, value) => objects.putUnpublished(key, value),
    },
    misplaced: {
      put: (key, value) => objects.putMisplaced(key, value),
      delete: (key) => objects.deleteMisplaced(key),
    },
    answer: { load: (key) => answers.find(key), put: (key, value) => answers.keep(key, value) },
    job: { load: (jobId) => jobs.job(jobId), put: (jobId, value) => jobs.put(jobId, value) },
    jobInput: { put: (jobId, value) => jobs.putInput(jobId, value) },
    jobCounts: { load: (jobId) => jobs.jobCounts(jobId) },
    // These two are derived from the rows of jobs.
    liveJob: { load: (key) => jobs.live(key), put: nothing, delete: nothing },
    gate: { load: () => jobs.purgeGate(), put: nothing, delete: nothing },
    planBlock: { put: (key, value) => plans.putPlanBlock(key, value) },
    block: { load: (key) => plans.block(key), put: (key, value) => plans.putBlock(key, value) },
    reported: {
      load: (mark) => scrub.reported(mark),
      put: (mark, { pass }) => scrub.putReported(mark, pass),
      delete: (mark) => scrub.deleteReported(mark),
    },
    scrub: { load: () => scrub.state() },
    apiKey: { load: (keyId) => apiKeys.apiKey(keyId), put: (_keyId, value) => apiKeys.put(value) },
    exporter: { load: () => backlog.exportState(), put: (_key, value) => objects.putExporter(value) },
    settings: { load: () => settings.settings(), put: (_key, value) => settings.put(value) },
  };
}
