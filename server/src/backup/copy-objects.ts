import { Refused } from "@tierkeep/schema/domain/refusals";
import type { NamedObject } from "../catalog/open-catalog.ts";
import { isUnreadable } from "../tiers/refusing.ts";
import { storeById } from "../tiers/store-by-id.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { DamagedArtifact } from "./manifest.ts";

/**
 * Up to this size many objects are copied concurrently: their syncs take most of the time, and are done
 * together.
 */
const SMALL_BYTES = 64 * 1024;
const SMALL_AT_ONCE = 256;
const LARGE_AT_ONCE = 4;

export interface ObjectsOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** The caller's way to cancel the work and to follow its progress. */
export interface Follower {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** Reports the progress in bytes of `totalBytes`. */
export function followedBy({ signal, onProgress }: Follower, totalBytes: number): ObjectsOptions {
  let done = 0;
  return {
    signal,
    onBytes: (bytes) => {
      done += bytes;
      onProgress?.(done, totalBytes);
    },
  };
}

/** Artifacts that were not copied because their bytes are missing or damaged. */
type Failures = DamagedArtifact[];

/**
 * Reads and verifies each object, and copies it into another store; `to` null: only verifies. Durable when it
 * resolves. Damaged objects are not copied, and are reported. A copy is in the store with the same id.
 *
 * @throws Refused TIER_UNAVAILABLE if a store of an object is not open
 */
export async function copyObjects(
  objects: Iterable<NamedObject>,
  from: ReadonlyMap<string, TierStore>,
  to: ReadonlyMap<string, TierStore> | null,
  options: ObjectsOptions = {},
): Promise<readonly DamagedArtifact[]> {
  const failures: Failures = [];
  const copying = new Set<Promise<void>>();
  /** By store. */
  const small = new Map<string, NamedObject[]>();
  const begin = (work: Promise<void>) => {
    const ended = work.finally(() => copying.delete(ended));
    copying.add(ended);
    // Prevents an unhandled rejection; the waits below report the error.
    ended.catch(() => {});
  };
  try {
    for (const each of objects) {
      options.signal?.throwIfAborted();
      const { store } = each;
      const [source, target] = [storeById(from, store), to && storeById(to, store)];
      const batch = small.get(store) ?? [];
      if (each.sizeBytes > SMALL_BYTES) begin(copyLarge(each, source, target, failures, options));
      else if (batch.push(each) < SMALL_AT_ONCE) small.set(store, batch);
      else {
        begin(copySmall(batch, source, target, failures, options));
        small.delete(store);
      }
      if (copying.size >= LARGE_AT_ONCE) await Promise.race(copying);
    }
    for (const [store, batch] of small)
      begin(copySmall(batch, storeById(from, store), to && storeById(to, store), failures, options));
    await Promise.all(copying);
  } finally {
    await Promise.allSettled(copying);
  }
  options.signal?.throwIfAborted();
  return failures;
}

async function copySmall(
  objects: readonly NamedObject[],
  from: TierStore,
  to: TierStore | null,
  failures: Failures,
  { signal, onBytes }: ObjectsOptions,
): Promise<void> {
  const contents = await Promise.all(
    objects.map(async (each) => {
      try {
        const content = await from.read(each.object, { ...each, range: null, signal });
        if (content !== null) return Buffer.concat(await Array.fromAsync(content));
        failures.push(damagedArtifact(each, "MISSING"));
      } catch (error) {
        failures.push(damagedArtifact(each, problemOf(error)));
      }
      return null;
    }),
  );
  await to?.put(
    objects.flatMap((each, index) => {
      const bytes = contents[index];
      return bytes ? [{ ...each, bytes }] : [];
    }),
  );
  onBytes?.(objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
}

/** An error at the source, not at the destination. */
class SourceFailed extends Error {}

async function copyLarge(
  each: NamedObject,
  from: TierStore,
  to: TierStore | null,
  failures: Failures,
  { signal, onBytes }: ObjectsOptions,
): Promise<void> {
  const { object, modifiedAt } = each;
  async function* content(): AsyncGenerator<Uint8Array> {
    let chunks: AsyncIterable<Uint8Array> | null;
    try {
      chunks = await from.read(object, { ...each, range: null, signal });
      if (chunks === null) {
        failures.push(damagedArtifact(each, "MISSING"));
        throw new SourceFailed();
      }
      for await (const chunk of chunks) {
        onBytes?.(chunk.byteLength);
        yield chunk;
      }
    } catch (error) {
      if (error instanceof SourceFailed) throw error;
      failures.push(damagedArtifact(each, problemOf(error)));
      throw new SourceFailed();
    }
  }
  try {
    if (to === null) for await (const _ of content());
    else await to.write(object, content(), { maxBytes: null, modifiedAt, signal });
  } catch (error) {
    if (!(error instanceof SourceFailed)) throw error;
    await to?.delete([object]);
  }
}

/** Returns the problem with the bytes. @throws any error that does not concern the bytes */
function problemOf(error: unknown): DamagedArtifact["problem"] {
  if (!(error instanceof Refused)) throw error;
  if (error.code === "CHECKSUM_MISMATCH") return "DAMAGED";
  if (isUnreadable(error)) return "UNREADABLE";
  throw error;
}

export function damagedArtifact(
  { key, object }: NamedObject,
  problem: DamagedArtifact["problem"],
): DamagedArtifact {
  return { ...key, object, problem };
}
