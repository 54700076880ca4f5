import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Decision, NextRow } from "../../decide/decision.ts";
import type { ArtifactRow } from "../../rows.ts";
import type { Connection } from "../connection.ts";
import { ARTIFACT_COLUMNS, artifactRow, inlineSeq } from "../rows/artifact-row.ts";
import { tierCode } from "../rows/codes.ts";
import type { EventLog } from "./event-log.ts";
import type { JobWrites } from "./job-writes.ts";
import type { Names, WorkflowEntry } from "./names.ts";
import type { UsageCounters } from "./usage-counters.ts";

/** The names are known from the change, so they are not looked up. */
const LOAD = `SELECT ${ARTIFACT_COLUMNS.replace("t.name, w.name", "?, ?")}
  FROM artifact a INDEXED BY artifact_key WHERE a.workflow = ? AND a.name = ?`;

/** An artifact's row, with what only the driver knows about it. */
export interface Loaded {
  readonly row: ArtifactRow;
  readonly workflow: WorkflowEntry;
  /** Seq of its inline content; null: the content is not inline. */
  readonly inline: number | null;
}

/** Loads rows for decisions and applies their effects, in the same way for every kind of change. */
export class ArtifactWrites {
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #log: EventLog;
  readonly #held: UsageCounters;
  readonly #jobs: JobWrites;

  constructor(connection: Connection, names: Names, log: EventLog, held: UsageCounters, jobs: JobWrites) {
    this.#connection = connection;
    this.#names = names;
    this.#log = log;
    this.#held = held;
    this.#jobs = jobs;
  }

  load(key: ArtifactKey): Loaded | null {
    const workflow = this.#names.findWorkflow(key.tenantId, key.workflowId);
    if (workflow === null) return null;
    const cells = this.#connection
      .statement(LOAD)
      .get(key.tenantId, key.workflowId, workflow.id, key.artifactId);
    return cells === undefined ? null : { row: artifactRow(cells), workflow, inline: inlineSeq(cells) };
  }

  apply<R>(key: ArtifactKey, current: Loaded | null, decision: Decision<R>): R {
    const seq = decision.event === null ? null : this.#log.append(decision.event);
    let after = current?.row ?? null;
    if (decision.row.kind !== "keep") {
      if (seq === null) throw new Error("A row would change without an event.");
      const workflow = current?.workflow ?? this.#names.workflow(key.tenantId, key.workflowId);
      if (decision.row.kind === "put") {
        const { row, bytes } = decision.row;
        after =
          current === null
            ? this.#insert(workflow, row, bytes, seq)
            : bytes === null && row.object === current.row.object
              ? this.#move(current, row, seq)
              : this.#overwrite(current, row, bytes, seq);
      } else {
        if (current !== null) this.#delete(current);
        after = null;
      }
      this.#markDirty(workflow, key.artifactId, seq);
      if (decision.garbage !== null) {
        const { object, store, notBefore } = decision.garbage;
        this.#connection
          .statement("INSERT INTO garbage (object, store, not_before, workflow, name) VALUES (?, ?, ?, ?, ?)")
          .run(object, store, notBefore, workflow.id, key.artifactId);
      }
    }
    if (decision.unstage !== null) {
      this.#connection.statement("DELETE FROM staged WHERE object = ?").run(decision.unstage);
    }
    if (decision.republish && current !== null)
      this.#markDirty(current.workflow, key.artifactId, current.row.version);
    if (decision.job !== null) this.#jobs.treated(decision.job.id, decision.job.progress, key, decision.item);
    if (decision.found !== null)
      this.#jobs.found(decision.found.jobId, decision.found.findings, decision.found.counts);
    return decision.result(after);
  }

  /** Drops the inline content, which is now in its object. Nothing else changes, so the version stays. */
  settle(current: Loaded): void {
    if (current.inline === null) return;
    this.#connection.statement("UPDATE artifact SET inline = NULL WHERE id = ?").run(current.row.row);
    this.#dropInline(current);
  }

  /** Marks the row as damaged. Nothing else changes, so the version stays. */
  markDamaged({ row }: Loaded, at: number): void {
    this.#connection.statement("UPDATE artifact SET damaged_at = ? WHERE id = ?").run(at, row.row);
  }

  republish({ row, workflow }: Loaded): void {
    this.#markDirty(workflow, row.artifactId, row.version);
  }

  #insert(workflow: WorkflowEntry, row: NextRow, bytes: Uint8Array | null, seq: number): ArtifactRow {
    this.#names.makePresent(workflow);
    if (bytes !== null) this.#rideInline(seq, seq, row.sizeBytes, bytes);
    this.#connection
      .statement(
        `INSERT INTO artifact (id, tenant, workflow, name, tier, size_bytes, created_at, modified_at, promoted_at,
           promoted_from, age_since, version, inline, checksum, object, store, content_type, metadata)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        seq,
        workflow.tenant.id,
        workflow.id,
        row.artifactId,
        ...facts(row),
        seq,
        bytes === null ? null : seq,
        ...content(row),
      );
    this.#held.add(workflow, row.tier, 1, row.sizeBytes);
    return { ...row, row: seq, version: seq };
  }

  #overwrite(current: Loaded, row: NextRow, bytes: Uint8Array | null, seq: number): ArtifactRow {
    const id = current.row.row;
    if (current.inline !== null) this.#dropInline(current);
    if (bytes !== null) this.#rideInline(seq, id, row.sizeBytes, bytes);
    this.#connection
      .statement(
        `UPDATE artifact SET tier = ?, size_bytes = ?, created_at = ?, modified_at = ?, promoted_at = ?, promoted_from = ?,
           age_since = ?, version = ?, inline = ?, checksum = ?, object = ?, store = ?, content_type = ?, metadata = ?,
           damaged_at = NULL WHERE id = ?`,
      )
      .run(...facts(row), seq, bytes === null ? null : seq, ...content(row), id);
    this.#held.add(current.workflow, current.row.tier, -1, current.row.sizeBytes);
    this.#held.add(current.workflow, row.tier, 1, row.sizeBytes);
    return { ...row, row: id, version: seq };
  }

  /** Moves a row; its content stays where it is. */
  #move(current: Loaded, row: NextRow, seq: number): ArtifactRow {
    const id = current.row.row;
    this.#connection
      .statement(
        "UPDATE artifact SET tier = ?, promoted_at = ?, promoted_from = ?, age_since = ?, damaged_at = ?, version = ? WHERE id = ?",
      )
      .run(
        tierCode(row.tier),
        row.promotedAt,
        row.promotedFrom === null ? null : tierCode(row.promotedFrom),
        row.ageSince,
        row.damagedAt,
        seq,
        id,
      );
    this.#held.add(current.workflow, current.row.tier, -1, current.row.sizeBytes);
    this.#held.add(current.workflow, row.tier, 1, row.sizeBytes);
    return { ...row, row: id, version: seq };
  }

  #delete(current: Loaded): void {
    if (current.inline !== null) this.#dropInline(current);
    this.#connection.statement("DELETE FROM artifact WHERE id = ?").run(current.row.row);
    this.#held.add(current.workflow, current.row.tier, -1, current.row.sizeBytes);
  }

  #rideInline(seq: number, artifact: number, sizeBytes: number, bytes: Uint8Array): void {
    this.#connection
      .statement("INSERT INTO inline_bytes VALUES (?, ?, ?, ?)")
      .run(seq, artifact, sizeBytes, bytes);
    this.#held.addUnsettled(1, sizeBytes);
  }

  #dropInline(current: Loaded): void {
    this.#connection.statement("DELETE FROM inline_bytes WHERE seq = ?").run(current.inline);
    this.#held.addUnsettled(-1, current.row.sizeBytes);
  }

  #markDirty(workflow: WorkflowEntry, name: string, seq: number): void {
    this.#connection
      .statement(
        `INSERT INTO dirty (version, workflow, name) VALUES (?, ?, ?)
         ON CONFLICT (workflow, name) DO UPDATE SET version = excluded.version`,
      )
      .run(seq, workflow.id, name);
  }
}

function facts(row: NextRow) {
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

function content(row: NextRow) {
  return [row.checksum, row.object, row.store, row.contentType, JSON.stringify(row.metadata)] as const;
}
