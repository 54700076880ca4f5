import { createHash } from "node:crypto";
import { requireChecksum } from "@tierkeep/schema/domain/checksums";
import { requireIdempotencyKey } from "@tierkeep/schema/domain/idempotency-keys";
import { requireKey } from "@tierkeep/schema/domain/identifiers";
import { requireMetadata } from "@tierkeep/schema/domain/metadata";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { WriteOptions } from "@tierkeep/schema/services/artifacts";
import type { WriteChange, WriteResult } from "../catalog/artifact-changes.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { requireWritable } from "../catalog/changes/write.ts";
import type { TierStore, WrittenObject } from "../tiers/tier-store.ts";
import type { Abandoned } from "./abandoned.ts";
import type { Backlog } from "./backlog.ts";
import type { Clock } from "./clock.ts";
import { contentTypeOf } from "./content-type.ts";
import { idempotencyKeyOf, requesterOf } from "./idempotency.ts";
import { newObject, type RandomBytes } from "./new-object.ts";
import { smallOrStream } from "./small-or-stream.ts";

export interface WriterParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly backlog: Backlog;
  readonly storeOf: (tier: WriteOptions["tier"]) => TierStore;
  /** Owner of the objects that this process stages. */
  readonly owner: string;
  readonly maxArtifactBytes: number | null;
  readonly abandoned: Abandoned;
  /** Called when an object becomes garbage without an event. */
  readonly wakeUpkeep: () => void;
}

/** The steps stage, commit and answer of the commit protocol (README.md). */
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
    await this.#checkPreconditions(principal, options, content);
    signal?.throwIfAborted();
    const body = await smallOrStream(content);
    return "small" in body
      ? this.#writeSmall(principal, options, body.small)
      : this.#writeStream(principal, options, body.stream, signal);
  }

  async #writeSmall(principal: Principal, options: WriteOptions, bytes: Uint8Array): Promise<WriteResult> {
    const { backlog, catalog, random, maxArtifactBytes } = this.#parts;
    if (maxArtifactBytes !== null && bytes.byteLength > maxArtifactBytes) throw tooLarge(maxArtifactBytes);
    const written = {
      sizeBytes: bytes.byteLength,
      checksum: createHash("sha256").update(bytes).digest("hex"),
    };
    checkContent(options, written);
    const change = this.#change(principal, options, newObject(random), written, bytes);
    return this.#answered(change, await backlog.admit(bytes.byteLength, () => catalog.commit(change)));
  }

  async #writeStream(
    principal: Principal,
    options: WriteOptions,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<WriteResult> {
    const { catalog, clock, random, owner, storeOf, maxArtifactBytes } = this.#parts;
    const store = storeOf(options.tier);
    const object = newObject(random);
    try {
      await catalog.commit({ kind: "stage", object, store: store.id, owner, at: clock.now() });
      const written = await store.write(object, content, {
        maxBytes: maxArtifactBytes,
        modifiedAt: clock.now(),
        signal,
      });
      checkContent(options, written);
      signal?.throwIfAborted();
      const change = this.#change(principal, options, object, written, null);
      return await this.#answered(change, await catalog.commit(change));
    } catch (error) {
      await this.#abandon(object);
      throw error;
    }
  }

  /** An idempotent retry returns the original object, so the object staged by this attempt is abandoned. */
  async #answered(change: WriteChange, result: WriteResult): Promise<WriteResult> {
    if (result.artifact.object !== change.object) await this.#abandon(change.object);
    return result;
  }

  async #abandon(object: string): Promise<void> {
    await this.#parts.abandoned.add([object]);
    this.#parts.wakeUpkeep();
  }

  /**
   * Checks the preconditions before content is received, so that most failing writes are refused early. The
   * commit checks them again and decides.
   */
  async #checkPreconditions(
    principal: Principal,
    options: WriteOptions,
    content: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const { ifAbsent = false, ifChecksum = null, idempotencyKey } = options;
    if (!ifAbsent && ifChecksum === null) return;
    // If the content is already in memory, only the commit checks, because it also stores the refusal for retries.
    if (idempotencyKey !== undefined && content instanceof Uint8Array) return;
    const { catalog, clock } = this.#parts;
    const row = await catalog.artifact(options);
    try {
      requireWritable(row, options, { ifAbsent, ifChecksum });
    } catch (refused) {
      if (idempotencyKey === undefined) throw refused;
      // A retry may fail the precondition because of its own first attempt.
      const actor = requesterOf(principal);
      if (!(await catalog.hasAnswer({ actor, key: idempotencyKey, at: clock.now() }))) throw refused;
    }
  }

  #change(
    principal: Principal,
    options: WriteOptions,
    object: string,
    written: WrittenObject,
    bytes: Uint8Array | null,
  ): WriteChange {
    const { clock, owner, storeOf } = this.#parts;
    const at = clock.now();
    const asked = {
      key: { tenantId: options.tenantId, workflowId: options.workflowId, artifactId: options.artifactId },
      tier: options.tier,
      checksum: written.checksum,
      contentType: options.contentType ?? contentTypeOf(options.artifactId),
      metadata: options.metadata,
      ifAbsent: options.ifAbsent ?? false,
      ifChecksum: options.ifChecksum ?? null,
    };
    return {
      kind: "write",
      at,
      actor: principal.actor,
      ...asked,
      object,
      store: storeOf(options.tier).id,
      bytes,
      owner,
      sizeBytes: written.sizeBytes,
      once: idempotencyKeyOf(principal, options.idempotencyKey, at, { operation: "write", ...asked }),
    };
  }
}

function checkOptions(options: WriteOptions): void {
  requireKey(options);
  requireMetadata(options.metadata, "metadata");
  if (options.checksum !== undefined) requireChecksum(options.checksum, "checksum");
  if (options.ifChecksum !== undefined) requireChecksum(options.ifChecksum, "ifChecksum");
  if (options.idempotencyKey !== undefined) requireIdempotencyKey(options.idempotencyKey, "idempotencyKey");
  if (options.ifAbsent && options.ifChecksum !== undefined) {
    throw new Refused("BAD_USER_INPUT", "ifAbsent and ifChecksum cannot be combined. Give one of them.", {
      argument: "ifChecksum",
    });
  }
}

function checkContent(options: WriteOptions, written: WrittenObject): void {
  if (options.checksum === undefined || options.checksum === written.checksum) return;
  throw new Refused(
    "CHECKSUM_MISMATCH",
    "The received content does not have the announced checksum. Send it again.",
    { argument: "checksum", checksum: written.checksum },
  );
}

function tooLarge(maxBytes: number): Refused {
  return new Refused(
    "CONTENT_TOO_LARGE",
    `The content is larger than the ${maxBytes} bytes that this server allows (MAX_ARTIFACT_BYTES). Split it, or raise the limit.`,
  );
}
