import type { Loaded, RecordStore } from "../../commit/run-group.ts";
import type { Effect, InlineContent, Records, Ref, ScopeKey } from "../../records.ts";
import type { ObjectId } from "../../rows.ts";
import type { BacklogReads } from "../reads/backlog-reads.ts";
import type { AnswerWrites } from "./answers.ts";
import type { ApiKeyWrites } from "./api-keys.ts";
import type { ArtifactWrites } from "./artifact-writes.ts";
import type { EventLog } from "./event-log.ts";
import type { JobWrites } from "./job-writes.ts";
import type { Names, WorkflowEntry } from "./names.ts";
import type { ObjectWrites } from "./object-writes.ts";
import type { PlanWrites } from "./plan-writes.ts";
import type { ScrubWrites } from "./scrub-writes.ts";
import type { SettingsWrites } from "./settings.ts";
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

/** Loads records and applies effects, within the open transaction of a writer. */
export class RecordWrites implements RecordStore {
  readonly #parts: WriterParts;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  load(refs: readonly Ref[]): Loaded {
    this.#parts.artifacts.clear();
    return { values: refs.map((ref) => this.#load(ref)), seq: this.#parts.log.newest };
  }

  apply(effects: readonly Effect[]): void {
    const inline = new Map<ObjectId, InlineContent>();
    for (const effect of effects) {
      if ("put" in effect && effect.put === "inline") inline.set(effect.key, effect.value);
    }
    for (const effect of effects) {
      if ("put" in effect) this.#put(effect, inline);
      else if ("delete" in effect) this.#delete(effect);
      else if ("append" in effect) this.#append(effect);
      else this.#add(effect);
    }
    this.#parts.jobs.flush();
  }

  #append(effect: Extract<Effect, { readonly append: unknown }>): void {
    if (effect.append === "event") this.#parts.log.append(effect.value);
    else this.#parts.jobs.addFinding(effect.key, effect.value);
  }

  #add(effect: Extract<Effect, { readonly add: unknown }>): void {
    if (effect.add === "jobCounts") this.#parts.jobs.addCounts(effect.key, effect.by);
    else this.#parts.usage.add(this.#workflow(effect.key), effect.tier, effect.count, effect.sizeBytes);
  }

  #load(ref: Ref): Records[Ref[0]]["value"] | null {
    const [kind, key] = ref;
    switch (kind) {
      case "artifact":
        return this.#parts.artifacts.artifact(key);
      case "facts":
        return this.#parts.artifacts.facts(key);
      case "scope":
        return this.#isPresent(key) ? true : null;
      case "staged":
        return this.#parts.objects.staged(key);
      case "garbage":
        return this.#parts.objects.garbage(key);
      case "answer":
        return this.#parts.answers.find(key);
      case "scrub":
        return this.#parts.scrub.state();
      case "reported":
        return this.#parts.scrub.reported(key);
      case "apiKey":
        return this.#parts.apiKeys.apiKey(key);
      case "exporter":
        return this.#parts.backlog.exportState();
      case "settings":
        return this.#parts.settings.settings();
      case "gate":
        return this.#parts.jobs.purgeGate();
      case "job":
        return this.#parts.jobs.job(key);
      case "jobCounts":
        return this.#parts.jobs.jobCounts(key);
      case "liveJob":
        return this.#parts.jobs.live(key);
      case "block":
        return this.#parts.plans.block(key);
      case "unpublished":
        return this.#parts.objects.unpublished(key);
      default:
        throw new Error(`No change reads records of the kind ${kind}.`);
    }
  }

  #isPresent({ tenantId, workflowId }: ScopeKey): boolean {
    const { names } = this.#parts;
    const entry = workflowId === "" ? names.findTenant(tenantId) : names.findWorkflow(tenantId, workflowId);
    return entry?.present ?? false;
  }

  #put(
    effect: Extract<Effect, { readonly put: unknown }>,
    inline: ReadonlyMap<ObjectId, InlineContent>,
  ): void {
    const { names } = this.#parts;
    switch (effect.put) {
      case "artifact":
      case "facts": {
        const content = inline.get(effect.value.object) ?? null;
        this.#parts.artifacts.put(effect.key, effect.value, content);
        return;
      }
      case "inline": // is stored with its artifact, whose row refers to it
        return;
      case "scope": {
        const { tenantId, workflowId } = effect.key;
        if (workflowId === "") names.makeTenantPresent(names.tenant(tenantId));
        else names.makeWorkflowPresent(names.workflow(tenantId, workflowId));
        return;
      }
      case "garbage":
        this.#parts.objects.putGarbage(effect.key, effect.value);
        return;
      case "unpublished":
        this.#parts.objects.putUnpublished(effect.key, effect.value);
        return;
      case "answer":
        this.#parts.answers.keep(effect.key, effect.value);
        return;
      case "staged":
        this.#parts.objects.putStaged(effect.key, effect.value);
        return;
      case "job":
        this.#parts.jobs.put(effect.key, effect.value);
        return;
      case "jobInput":
        this.#parts.jobs.putInput(effect.key, effect.value);
        return;
      case "planBlock":
        this.#parts.plans.putPlanBlock(effect.key, effect.value);
        return;
      case "block":
        this.#parts.plans.putBlock(effect.key, effect.value);
        return;
      case "liveJob": // are derived from the rows of jobs
      case "gate":
        return;
      case "reported":
        this.#parts.scrub.putReported(effect.key, effect.value.pass);
        return;
      case "apiKey":
        this.#parts.apiKeys.put(effect.value);
        return;
      case "exporter":
        this.#parts.objects.putExporter(effect.value);
        return;
      case "settings":
        this.#parts.settings.put(effect.value);
        return;
      default:
        throw new Error(`No change puts records of the kind ${effect.put}.`);
    }
  }

  #delete(effect: Extract<Effect, { readonly delete: unknown }>): void {
    switch (effect.delete) {
      case "artifact":
        this.#parts.artifacts.delete(effect.key);
        return;
      case "inline":
        this.#parts.artifacts.deleteInline(effect.key);
        return;
      case "staged":
        this.#parts.objects.deleteStaged(effect.key);
        return;
      case "liveJob": // are derived from the rows of jobs
      case "gate":
        return;
      default:
        throw new Error(`No change deletes records of the kind ${effect.delete}.`);
    }
  }

  #workflow({ tenantId, workflowId }: ScopeKey): WorkflowEntry {
    return this.#parts.names.workflow(tenantId, workflowId);
  }
}
