import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { StorageError } from "../../storage-error.ts";
import type {
  FoundAt,
  Quarantined,
  ReadObjectOptions,
  TierStore,
  WriteObjectOptions,
  WrittenObject,
} from "../../tier-store.ts";
import type {
  IngestItem,
  Placement,
  Published,
  Taken,
  TierView,
  ViewCopy,
  ViewDifference,
} from "../../tier-view.ts";
import { abortError } from "../storage-errors.ts";
import type { IoWorkers } from "../workers/io-workers.ts";
import type { SmallObject } from "./object-files.ts";
import { expectedLength } from "./object-reads.ts";
import { ObjectStream } from "./streamed-read.ts";
import { writeStream } from "./streamed-write.ts";

/** Up to this size a read is one call, verified before its first byte is returned. */
const WHOLE_READ_BYTES = 1024 * 1024;

/** Files per call, which limits how long a call occupies its thread and how many descriptors it opens. */
const FILES_PER_CALL = 64;

export interface FilesystemStoreOptions {
  /** The id in the catalog's rows. */
  readonly id: string;
  /** Absolute; created where it is missing. */
  readonly root: string;
  readonly publishTree: boolean;
  /** The threads that do the work; closed with the store. */
  readonly workers: IoWorkers;
}

/** @throws StorageError when the folders cannot be created */
export async function openFilesystemStore(options: FilesystemStoreOptions): Promise<TierStore> {
  await options.workers.at(0).call("prepare", [options.publishTree]);
  return new FilesystemStore(options);
}

class FilesystemStore implements TierStore {
  readonly id: string;
  /** An open file can be read to its end after it is deleted. */
  readonly graceMs = 0;
  readonly view: TierView | null;
  readonly #workers: IoWorkers;

  constructor({ id, publishTree, workers }: FilesystemStoreOptions) {
    this.id = id;
    this.#workers = workers;
    this.view = publishTree
      ? {
          store: id,
          publish: (placements) => this.#publish(placements),
          // Always the same worker, which remembers where the last page ended.
          walk: (after, limit) => workers.at(0).call("walkTree", [after, limit]),
          count: () => workers.at(0).call("countTree", []),
          take: (items, signal) => this.#take(items, signal),
          setAside: (places) => workers.at(0).call("setAside", [places]),
          find: (places) => workers.leastBusy().call("findFiles", [places]),
          relink: (copies) => this.#relink(copies),
          differences: (placements) => this.#differences(placements),
        }
      : null;
  }

  async write(
    object: string,
    content: AsyncIterable<Uint8Array>,
    options: WriteObjectOptions,
  ): Promise<WrittenObject> {
    return writeStream(this.#workers.leastBusy(), object, content, options);
  }

  async put(objects: readonly SmallObject[]): Promise<void> {
    // By name, so that objects of one directory are in the same call, which syncs it once.
    const inOrder = objects
      .map(({ object, bytes, modifiedAt }) => ({ object, bytes: withoutRest(bytes), modifiedAt }))
      .sort((a, b) => (a.object < b.object ? -1 : 1));
    await this.#spread(inOrder, (worker, part) => worker.call("put", [part]));
  }

  read(object: string, options: ReadObjectOptions): Promise<AsyncIterable<Uint8Array> | null> {
    return this.#read(object, options);
  }

  readFound(at: FoundAt, options: ReadObjectOptions): Promise<AsyncIterable<Uint8Array> | null> {
    return this.#read(at, options);
  }

  quarantined(): Promise<readonly Quarantined[]> {
    return this.#workers.leastBusy().call("quarantined", []);
  }

  deleteQuarantined(names: readonly string[]): Promise<void> {
    return this.#workers.leastBusy().call("deleteQuarantined", [names]);
  }

  async #read(from: string | FoundAt, options: ReadObjectOptions): Promise<AsyncIterable<Uint8Array> | null> {
    const { range, sizeBytes, checksum, signal } = options;
    if (signal?.aborted) throw abortError(signal);
    const expected = { range, sizeBytes, checksum };
    const worker = this.#workers.leastBusy();
    if (expectedLength(expected) <= WHOLE_READ_BYTES) {
      const bytes = await worker.call("readWhole", [from, expected]);
      if (signal?.aborted) throw abortError(signal);
      return bytes === null ? null : once(bytes, signal);
    }
    const session = await worker.call("openRead", [from, expected]);
    if (session === null) return null;
    const stream = new ObjectStream(worker, session, signal);
    if (!signal?.aborted) return stream;
    await stream.return();
    throw abortError(signal);
  }

  async stat(object: string): Promise<{ readonly sizeBytes: number } | null> {
    const sizeBytes = await this.#workers.leastBusy().call("stat", [object]);
    return sizeBytes === null ? null : { sizeBytes };
  }

  async delete(objects: readonly string[]): Promise<void> {
    await this.#spread(objects.toSorted(), (worker, part) => worker.call("remove", [part]));
  }

  async *list(after: string | null = null): AsyncIterable<string> {
    for (const fanOut of await this.#workers.leastBusy().call("fanOuts", [])) {
      if (after !== null && fanOut < after.slice(0, fanOut.length)) continue;
      const objects = await this.#workers.leastBusy().call("listFanOut", [fanOut]);
      yield* after === null ? objects : objects.filter((object) => object > after);
    }
  }

  async quarantine(object: string): Promise<void> {
    await this.#workers.leastBusy().call("quarantine", [object]);
  }

  close(): Promise<void> {
    return this.#workers.close();
  }

  /**
   * Keys of one workflow always go to the same worker, so two overlapping calls never publish one key
   * concurrently.
   */
  async #publish(placements: readonly Placement[]): Promise<Published> {
    const byWorker = Map.groupBy(placements, ({ key }) => this.#workerOf(key));
    const published = [...byWorker].flatMap(([index, own]) =>
      slices(own, FILES_PER_CALL).map((part) => this.#publishOn(index, part)),
    );
    const results = await Promise.all(published);
    return {
      quarantined: results.flatMap(({ quarantined }) => quarantined),
      failed: results.flatMap(({ failed }) => failed),
      blocked: results.flatMap(({ blocked }) => blocked),
    };
  }

  async #relink(copies: readonly ViewCopy[]): Promise<void> {
    const byWorker = Map.groupBy(copies, ({ key }) => this.#workerOf(key));
    await Promise.all([...byWorker].map(([index, own]) => this.#workers.at(index).call("relink", [own])));
  }

  #workerOf({ tenantId, workflowId }: ArtifactKey): number {
    return hashOf(`${tenantId}/${workflowId}`) % this.#workers.count;
  }

  async #publishOn(index: number, placements: readonly Placement[]): Promise<Published> {
    try {
      return await this.#workers.at(index).call("publish", [placements]);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const failed = placements.map(({ key }) => ({ key, error: error.message }));
      return { quarantined: [], failed, blocked: [] };
    }
  }

  async #take(
    items: readonly IngestItem[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Taken[] | null> {
    const size = Math.min(FILES_PER_CALL, Math.max(8, Math.ceil(items.length / this.#workers.count)));
    const outcomes = await Promise.allSettled(
      slices(items, size).map((part) => this.#takePart(this.#workers.leastBusy(), part, signal)),
    );
    const taken: Taken[] = [];
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") throw outcome.reason;
      if (outcome.value === null) return null;
      taken.push(...outcome.value);
    }
    return taken;
  }

  async #takePart(
    worker: ReturnType<IoWorkers["leastBusy"]>,
    items: readonly IngestItem[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Taken[] | null> {
    if (signal?.aborted) return null;
    const taken: Taken[] = [];
    let aborted = false;
    for (const begun of await worker.call("take", [items])) {
      if (typeof begun !== "number") {
        taken.push(begun);
        continue;
      }
      let outcome: Taken | null = null;
      while (outcome === null && !aborted) {
        aborted = signal?.aborted ?? false;
        outcome = aborted ? null : await worker.call("continueTake", [begun]);
      }
      if (outcome !== null) taken.push(outcome);
      else await worker.call("discardTake", [begun]);
    }
    return aborted ? null : taken;
  }

  async #differences(placements: readonly Placement[]): Promise<readonly ViewDifference[]> {
    const found: ViewDifference[] = [];
    for (const part of slices(placements, FILES_PER_CALL)) {
      found.push(...(await this.#workers.leastBusy().call("differences", [part])));
    }
    return found;
  }

  /**
   * Runs in parts on all workers, because the file system commits concurrent fsyncs together. Rejects only
   * after all parts have ended.
   */
  async #spread<T>(
    items: readonly T[],
    run: (worker: ReturnType<IoWorkers["leastBusy"]>, part: readonly T[]) => Promise<void>,
  ): Promise<void> {
    const size = Math.min(FILES_PER_CALL, Math.max(8, Math.ceil(items.length / this.#workers.count)));
    const outcomes = await Promise.allSettled(
      slices(items, size).map((part) => run(this.#workers.leastBusy(), part)),
    );
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }
}

async function* once(bytes: Uint8Array, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (signal?.aborted) throw abortError(signal);
  if (bytes.length > 0) yield bytes;
}

/** Copies a small view of a large buffer: a message would include the complete buffer. */
function withoutRest(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function slices<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}

/** FNV-1a, 32 bits. Any hash works that stays the same for the life of the store. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
