import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import type { Loaded, RecordStore } from "../../commit/run-group.ts";
import type { ArtifactFacts, Effect, InlineContent, Records, Ref, ScopeKey } from "../../records.ts";
import type { ArtifactRow, ObjectId } from "../../rows.ts";
import type { Connection } from "../connection.ts";
import type { BacklogReads } from "../reads/backlog-reads.ts";
import { ARTIFACT_COLUMNS, artifactRow, inlineSeq } from "../rows/artifact-row.ts";
import { tierCode } from "../rows/codes.ts";
import type { AnswerWrites } from "./answers.ts";
import type { ApiKeyWrites } from "./api-keys.ts";
import type { EventLog } from "./event-log.ts";
import type { JobWrites } from "./job-writes.ts";
import type { Names, WorkflowEntry } from "./names.ts";
import type { ObjectWrites } from "./object-writes.ts";
import type { ScrubWrites } from "./scrub-writes.ts";
import type { SettingsWrites } from "./settings.ts";
import type { UsageCounters } from "./usage-counters.ts";

/** The names are known from the key, so they are not looked up. */
const ARTIFACT = `SELECT ${ARTIFACT_COLUMNS.replace("t.name, w.name", "?, ?")}
  FROM artifact a INDEXED BY artifact_key WHERE a.workflow = ? AND a.name = ?`;

/** The same without the metadata, which may be long. */
const FACTS = ARTIFACT.replace("a.metadata", "'{}'");

/** The stored row of an artifact, with what only the driver knows about it. */
interface StoredRow {
  readonly row: ArtifactRow;
  /** Seq of its inline content; null: the content is not inline. */
  readonly inline: number | null;
}

/** The parts of a writer that effects are applied to. */
export interface WriterParts {
  readonly connection: Connection;
  readonly names: Names;
  readonly log: EventLog;
  readonly usage: UsageCounters;
  readonly objects: ObjectWrites;
  readonly answers: AnswerWrites;
  readonly jobs: JobWrites;
  readonly scrub: ScrubWrites;
  readonly apiKeys: ApiKeyWrites;
  readonly settings: SettingsWrites;
  readonly backlog: BacklogReads;
}

/** Loads records and applies effects, within the open transaction of a writer. */
export class RecordWrites implements RecordStore {
  readonly #parts: WriterParts;
  /** The stored rows of the artifacts that were loaded last, by their keys. */
  readonly #stored = new Map<string, StoredRow | null>();
  /** The same rows by their objects, where their content is inline. */
  readonly #inline = new Map<ObjectId, StoredRow>();

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  load(refs: readonly Ref[]): Loaded {
    this.#stored.clear();
    this.#inline.clear();
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
        return this.#row(key, ARTIFACT);
      case "facts":
        return this.#row(key, FACTS);
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
      case "jobItem":
        return this.#parts.jobs.item(key);
      case "unpublished":
        return this.#parts.objects.unpublished(key);
      default:
        throw new Error(`No change reads records of the kind ${kind}.`);
    }
  }

  #row(key: ArtifactKey, sql: string): ArtifactRow | null {
    const { connection, names } = this.#parts;
    const workflow = names.findWorkflow(key.tenantId, key.workflowId);
    const cells =
      workflow === null
        ? undefined
        : connection.statement(sql).get(key.tenantId, key.workflowId, workflow.id, key.artifactId);
    const stored = cells === undefined ? null : { row: artifactRow(cells), inline: inlineSeq(cells) };
    this.#stored.set(keyText(key), stored);
    if (stored !== null && stored.inline !== null) this.#inline.set(stored.row.object, stored);
    return stored === null ? null : stored.row;
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
    const { connection, names } = this.#parts;
    switch (effect.put) {
      case "artifact":
      case "facts": {
        const content = inline.get(effect.value.object) ?? null;
        this.#putArtifact(effect.key, effect.value, content);
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
      case "garbage": {
        const { store, since, artifact } = effect.value;
        connection
          .statement("INSERT INTO garbage (object, store, not_before, workflow, name) VALUES (?, ?, ?, ?, ?)")
          .run(
            effect.key,
            store,
            since,
            artifact === null ? null : this.#workflow(artifact).id,
            artifact?.artifactId ?? null,
          );
        return;
      }
      case "unpublished":
        connection
          .statement(
            `INSERT INTO dirty (version, workflow, name) VALUES (?, ?, ?)
             ON CONFLICT (workflow, name) DO UPDATE SET version = excluded.version`,
          )
          .run(effect.value.version, this.#workflow(effect.key).id, effect.key.artifactId);
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
      case "jobItem":
        this.#parts.jobs.putItem(effect.key, effect.value.item);
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
    const { connection } = this.#parts;
    switch (effect.delete) {
      case "artifact": {
        const stored = this.#storedRow(effect.key);
        connection.statement("DELETE FROM artifact WHERE id = ?").run(stored?.row.row ?? 0);
        return;
      }
      case "inline": {
        const stored = this.#inline.get(effect.key);
        if (stored === undefined) return;
        connection.statement("DELETE FROM inline_bytes WHERE seq = ?").run(stored.inline);
        this.#parts.usage.addUnsettled(-1, stored.row.sizeBytes);
        return;
      }
      case "staged":
        connection.statement("DELETE FROM staged WHERE object = ?").run(effect.key);
        return;
      case "liveJob": // are derived from the rows of jobs
      case "gate":
        return;
      default:
        throw new Error(`No change deletes records of the kind ${effect.delete}.`);
    }
  }

  #putArtifact(key: ArtifactKey, row: ArtifactFacts, content: InlineContent | null): void {
    const stored = this.#storedRow(key);
    if (content !== null) {
      this.#parts.connection
        .statement("INSERT INTO inline_bytes VALUES (?, ?, ?, ?)")
        .run(row.version, row.row, content.sizeBytes, content.bytes);
      this.#parts.usage.addUnsettled(1, content.sizeBytes);
    }
    if (stored === null) this.#insert(row as ArtifactRow, content !== null);
    else if (row.object === stored.row.object) this.#move(row);
    else this.#replace(row as ArtifactRow, content !== null);
  }

  #insert(row: ArtifactRow, inline: boolean): void {
    const workflow = this.#workflow(row);
    this.#parts.connection
      .statement(
        `INSERT INTO artifact (id, tenant, workflow, name, tier, size_bytes, created_at, modified_at, promoted_at,
           promoted_from, age_since, version, inline, checksum, object, store, content_type, metadata)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        row.row,
        workflow.tenant.id,
        workflow.id,
        row.artifactId,
        ...factCells(row),
        row.version,
        inline ? row.version : null,
        ...contentCells(row),
      );
  }

  /** New content. */
  #replace(row: ArtifactRow, inline: boolean): void {
    this.#parts.connection
      .statement(
        `UPDATE artifact SET tier = ?, size_bytes = ?, created_at = ?, modified_at = ?, promoted_at = ?, promoted_from = ?,
           age_since = ?, version = ?, inline = ?, checksum = ?, object = ?, store = ?, content_type = ?, metadata = ?,
           damaged_at = NULL WHERE id = ?`,
      )
      .run(...factCells(row), row.version, inline ? row.version : null, ...contentCells(row), row.row);
  }

  /** The content stays where it is. */
  #move(row: ArtifactFacts): void {
    this.#parts.connection
      .statement(
        "UPDATE artifact SET tier = ?, promoted_at = ?, promoted_from = ?, age_since = ?, damaged_at = ?, version = ? WHERE id = ?",
      )
      .run(
        tierCode(row.tier),
        row.promotedAt,
        row.promotedFrom === null ? null : tierCode(row.promotedFrom),
        row.ageSince,
        row.damagedAt,
        row.version,
        row.row,
      );
  }

  #storedRow(key: ArtifactKey): StoredRow | null {
    const stored = this.#stored.get(keyText(key));
    if (stored === undefined) throw new Error("An artifact is changed that was not loaded.");
    return stored;
  }

  #workflow({ tenantId, workflowId }: ScopeKey): WorkflowEntry {
    return this.#parts.names.workflow(tenantId, workflowId);
  }
}

function factCells(row: ArtifactFacts) {
  return [
    tierCode(row.tier),
    row.sizeBytes,
    row.createdAt,
    row.modifiedAt,
    row.promotedAt,
    row.promotedFrom === null ? null : tierCode(row.promotedFrom),
    row.ageSince,
  ] as const;
}

function contentCells(row: ArtifactRow) {
  return [row.checksum, row.object, row.store, row.contentType, JSON.stringify(row.metadata)] as const;
}
