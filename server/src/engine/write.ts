import { createHash, randomBytes } from "node:crypto";
import { requireChecksum } from "@tierkeep/schema/domain/checksums";
import { requireKey } from "@tierkeep/schema/domain/identifiers";
import { requireMetadata } from "@tierkeep/schema/domain/metadata";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { WriteOptions } from "@tierkeep/schema/services/artifacts";
import type { Catalog } from "../catalog/catalog.ts";
import type { WriteChange, WriteResult } from "../catalog/changes.ts";
import { requireWritable } from "../catalog/decide/decide-write.ts";
import type { TierStore, WrittenObject } from "../tiers/tier-store.ts";
import type { Backlog } from "./backlog.ts";
import type { Clock } from "./clock.ts";
import { contentTypeOf } from "./content-type.ts";
import { smallOrStream } from "./small-or-stream.ts";

export interface WriterParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly backlog: Backlog;
  readonly storeOf: (tier: WriteOptions["tier"]) => TierStore;
  /** This process's name for what it stages. */
  readonly owner: string;
  readonly maxArtifactBytes: number | null;
  /** Told that something became garbage without an event. */
  readonly wakeUpkeep: () => void;
}

/** Stage, commit and answer of the commit protocol (README.md beside this file). */
export class Writer {
  readonly #parts: WriterParts;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  async write(
    principal: Principal,
    options: WriteOptions,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<WriteResult> {
    checkOptions(options);
    await this.#checkPreconditions(options);
    signal?.throwIfAborted();
    const body = await smallOrStream(content);
    return "small" in body
      ? this.#writeSmall(principal, options, body.small)
      : this.#writeStream(principal, options, body.stream, signal);
  }

  async #writeSmall(principal: Principal, options: WriteOptions, bytes: Uint8Array): Promise<WriteResult> {
    const { backlog, catalog, maxArtifactBytes } = this.#parts;
    if (maxArtifactBytes !== null && bytes.byteLength > maxArtifactBytes) throw tooLarge(maxArtifactBytes);
    const written = {
      sizeBytes: bytes.byteLength,
      checksum: createHash("sha256").update(bytes).digest("hex"),
    };
    checkContent(options, written);
    const change = this.#change(principal, options, newObject(), written, bytes);
    return backlog.admit(bytes.byteLength, () => catalog.commit(change));
  }

  async #writeStream(
    principal: Principal,
    options: WriteOptions,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<WriteResult> {
    const { catalog, clock, owner, storeOf, maxArtifactBytes } = this.#parts;
    const store = storeOf(options.tier);
    const object = newObject();
    await catalog.commit({ kind: "stage", object, store: store.id, owner, at: clock.now() });
    try {
      const written = await store.write(object, content, {
        maxBytes: maxArtifactBytes,
        modifiedAt: clock.now(),
        signal,
      });
      checkContent(options, written);
      signal?.throwIfAborted();
      return await catalog.commit(this.#change(principal, options, object, written, null));
    } catch (error) {
      await this.#abandon(object);
      throw error;
    }
  }

  /** Harmless where the write took place after all: then the object is not staged any more. Where it cannot be said now, the next start says it. */
  async #abandon(object: string): Promise<void> {
    const { catalog, clock, wakeUpkeep } = this.#parts;
    try {
      await catalog.commit({ kind: "abandon", object, at: clock.now() });
      wakeUpkeep();
    } catch {}
  }

  /** The same answer that the commit would give, before a byte of content is asked for. The commit decides. */
  async #checkPreconditions(options: WriteOptions): Promise<void> {
    if (!options.ifAbsent && options.ifChecksum === undefined) return;
    const row = await this.#parts.catalog.artifact(options);
    requireWritable(row, options, {
      ifAbsent: options.ifAbsent ?? false,
      ifChecksum: options.ifChecksum ?? null,
    });
  }

  #change(
    principal: Principal,
    options: WriteOptions,
    object: string,
    written: WrittenObject,
    bytes: Uint8Array | null,
  ): WriteChange {
    const { clock, owner, storeOf } = this.#parts;
    return {
      kind: "write",
      at: clock.now(),
      actor: principal.actor,
      key: { tenantId: options.tenantId, workflowId: options.workflowId, artifactId: options.artifactId },
      tier: options.tier,
      object,
      store: storeOf(options.tier).id,
      bytes,
      owner,
      sizeBytes: written.sizeBytes,
      checksum: written.checksum,
      contentType: options.contentType ?? contentTypeOf(options.artifactId),
      metadata: options.metadata,
      ifAbsent: options.ifAbsent ?? false,
      ifChecksum: options.ifChecksum ?? null,
    };
  }
}

/** Random, so that it is never used twice and tells nothing. */
function newObject(): string {
  return randomBytes(16).toString("hex");
}

function checkOptions(options: WriteOptions): void {
  requireKey(options);
  requireMetadata(options.metadata, "metadata");
  if (options.checksum !== undefined) requireChecksum(options.checksum, "checksum");
  if (options.ifChecksum !== undefined) requireChecksum(options.ifChecksum, "ifChecksum");
  if (options.ifAbsent && options.ifChecksum !== undefined) {
    throw new Refused("BAD_USER_INPUT", "ifAbsent and ifChecksum exclude each other. Give one of them.", {
      argument: "ifChecksum",
    });
  }
}

function checkContent(options: WriteOptions, written: WrittenObject): void {
  if (options.checksum === undefined || options.checksum === written.checksum) return;
  throw new Refused(
    "CHECKSUM_MISMATCH",
    "The content that arrived does not have the checksum that was announced. Send it again.",
    { argument: "checksum", checksum: written.checksum },
  );
}

export function tooLarge(maxBytes: number): Refused {
  return new Refused(
    "CONTENT_TOO_LARGE",
    `The content is larger than the ${maxBytes} bytes that this server takes.`,
  );
}
