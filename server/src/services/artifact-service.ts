import { requireChecksum } from "@tierkeep/schema/domain/checksums";
import { requireKey } from "@tierkeep/schema/domain/identifiers";
import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import type { Page, PageRequest } from "@tierkeep/schema/domain/pages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type { Refused } from "@tierkeep/schema/domain/refusals";
import type {
  Artifact,
  ArtifactContent,
  ArtifactFilter,
  ArtifactOrder,
  ArtifactService,
  ByteRange,
  FolderPage,
  Moved,
  MoveOptions,
  Purged,
  PurgeOptions,
  WriteOptions,
} from "@tierkeep/schema/services/artifacts";
import type { ReadTerms } from "@tierkeep/schema/services/read-terms";
import type { WorkflowName } from "@tierkeep/schema/services/tenants";
import type { Catalog } from "../catalog/catalog.ts";
import { keyEvent } from "../catalog/changes/artifact-event.ts";
import type { StoreIds } from "../catalog/rows.ts";
import type { Clock } from "../engine/clock.ts";
import { idempotencyKeyOf } from "../engine/idempotency.ts";
import type { Reader } from "../engine/read.ts";
import type { Writer } from "../engine/write.ts";
import { listArtifacts, listFolder } from "./artifact-list.ts";
import type { SealedNumbers } from "./sealed-number.ts";

export interface ArtifactServiceParts {
  readonly catalog: Catalog;
  /** Seals row numbers in cursors. */
  readonly rows: SealedNumbers;
  readonly clock: Clock;
  /** The store of each tier. */
  readonly storeIds: StoreIds;
  readonly writer: Writer;
  readonly reader: Reader;
  /** Why nothing may be purged now; null: purging is allowed. */
  readonly purgeRefusal: () => Promise<Refused | null>;
  /** Whether each read is logged as an event before its content is returned. */
  readonly auditReads: boolean;
  /** Runs a change that a shutdown waits for. @throws Refused UNAVAILABLE when the engine is closing */
  readonly during: <T>(change: () => Promise<T>) => Promise<T>;
}

export class EngineArtifacts implements ArtifactService {
  readonly #parts: ArtifactServiceParts;

  constructor(parts: ArtifactServiceParts) {
    this.#parts = parts;
  }

  async get(_principal: Principal, key: ArtifactKey): Promise<Artifact | null> {
    return this.#parts.catalog.artifact(requireKey(key));
  }

  async getMany(_principal: Principal, keys: readonly ArtifactKey[]): Promise<readonly (Artifact | null)[]> {
    for (const [index, key] of keys.entries()) requireKey(key, `keys.${index}.`);
    return this.#parts.catalog.artifacts(keys);
  }

  async list(
    principal: Principal,
    filter: ArtifactFilter,
    order: ArtifactOrder,
    page: PageRequest,
    terms?: ReadTerms,
  ): Promise<Page<Artifact>> {
    return listArtifacts(this.#parts, this.#parts.clock.now(), principal, filter, order, page, terms);
  }

  async listFolder(
    _principal: Principal,
    workflow: WorkflowName,
    prefix: string,
    page: Pick<PageRequest, "limit" | "after">,
  ): Promise<FolderPage> {
    return listFolder(this.#parts.catalog, workflow, prefix, page);
  }

  write(
    principal: Principal,
    options: WriteOptions,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<{ readonly artifact: Artifact; readonly created: boolean }> {
    return this.#parts.during(() => this.#parts.writer.write(principal, options, content, signal));
  }

  promote(principal: Principal, options: MoveOptions): Promise<Moved> {
    return this.#move(principal, "promote", options);
  }

  restore(principal: Principal, options: MoveOptions): Promise<Moved> {
    return this.#move(principal, "restore", options);
  }

  async #move(principal: Principal, as: "promote" | "restore", options: MoveOptions): Promise<Moved> {
    const key = checkedKey(options);
    const { catalog, clock, storeIds, during } = this.#parts;
    const { actor } = principal;
    const at = clock.now();
    const request = {
      key,
      fromTier: options.fromTier ?? null,
      toTier: options.toTier,
      ifChecksum: options.ifChecksum ?? null,
      dryRun: options.dryRun,
    };
    const once = idempotencyKeyOf(principal, options.idempotencyKey, at, { operation: as, ...request });
    return during(() => catalog.commit({ kind: "move", at, actor, as, ...request, storeIds, once }));
  }

  async purge(principal: Principal, options: PurgeOptions): Promise<Purged> {
    const key = checkedKey(options);
    const { catalog, clock, during, purgeRefusal } = this.#parts;
    const { actor } = principal;
    const at = clock.now();
    const request = {
      key,
      fromTier: options.fromTier ?? null,
      ifChecksum: options.ifChecksum ?? null,
      dryRun: options.dryRun,
    };
    const once = idempotencyKeyOf(principal, options.idempotencyKey, at, { operation: "purge", ...request });
    return during(async () => {
      const refusal = options.dryRun ? null : await purgeRefusal();
      // A retry purges nothing.
      if (refusal && !(once && (await catalog.hasAnswer(once)))) throw refusal;
      const purged = await catalog.commit({ kind: "purge", at, actor, ...request, once });
      return { ...key, ...purged };
    });
  }

  async open(
    principal: Principal,
    key: ArtifactKey,
    pick: (artifact: Artifact) => ByteRange | null | false = () => null,
    signal?: AbortSignal,
  ): Promise<ArtifactContent | null> {
    let isRead = false;
    const picked = (artifact: Artifact) => {
      const range = pick(artifact);
      isRead = range !== false;
      return range;
    };
    const content = await this.#parts.reader.open(key, picked, signal);
    if (content === null || !isRead) return content;
    try {
      await this.#logRead(principal, content.artifact, content.sizeBytes);
    } catch (error) {
      await content.body[Symbol.asyncIterator]().return?.();
      throw error;
    }
    return content;
  }

  async bytes(principal: Principal, artifact: Artifact): Promise<Uint8Array | null> {
    const bytes = await this.#parts.reader.bytes(artifact);
    if (bytes !== null) await this.#logRead(principal, artifact, bytes.byteLength);
    return bytes;
  }

  /** Commits the event in a group with other changes in progress. */
  async #logRead({ actor }: Principal, artifact: Artifact, sizeBytes: number): Promise<void> {
    const { auditReads, catalog, clock, during } = this.#parts;
    if (!auditReads) return;
    const facts = { fromTier: artifact.tier, sizeBytes, checksum: artifact.checksum };
    const event = keyEvent("ARTIFACT_READ", { at: clock.now(), actor }, artifact, facts);
    await during(() => catalog.commit({ kind: "event", event }));
  }
}

/** Returns the checked key of an input, without its other fields. */
function checkedKey(options: ArtifactKey & { readonly ifChecksum?: string | undefined }): ArtifactKey {
  const key = keyOf(requireKey(options));
  if (options.ifChecksum !== undefined) requireChecksum(options.ifChecksum, "ifChecksum");
  return key;
}
