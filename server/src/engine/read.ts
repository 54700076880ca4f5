import { createHash } from "node:crypto";
import { requireKey } from "@tierkeep/schema/domain/identifiers";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Artifact, ArtifactContent, ByteRange } from "@tierkeep/schema/services/artifacts";
import type { Catalog } from "../catalog/catalog.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import { storeById } from "../tiers/store-by-id.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { Clock } from "./clock.ts";

/** How often a read retries while the content is replaced under it. */
const MAX_TURNS = 20;

export interface ReaderParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** By the id in rows. */
  readonly stores: ReadonlyMap<string, TierStore>;
  /** Called for each artifact that is found damaged. */
  readonly onDamage: (row: ArtifactRow) => void;
}

/**
 * The read of the commit protocol (README.md): returns the verified bytes that the catalog names, or refuses;
 * never other bytes.
 */
export class Reader {
  readonly #parts: ReaderParts;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  async open(
    key: ArtifactKey,
    pick: (artifact: Artifact) => ByteRange | null | false = () => null,
    signal?: AbortSignal,
  ): Promise<ArtifactContent | null> {
    requireKey(key);
    let gone: string | null = null;
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const content = await this.#parts.catalog.content(key);
      if (content === null) return null;
      const { row, bytes } = content;
      if (bytes === null && row.object === gone) throw await this.#damaged(row, "its bytes are gone");
      const range = pick(row);
      if (range === false) return { artifact: row, sizeBytes: 0, body: none() };
      const sizeBytes = range === null ? row.sizeBytes : range.end - range.start + 1;
      if (bytes !== null)
        return { artifact: row, sizeBytes, body: one(await this.#riding(row, bytes, range)) };
      const body = await this.#readObject(row, range, signal);
      if (body !== null) return { artifact: row, sizeBytes, body };
      gone = row.object;
    }
    throw new Refused("CONFLICT", "The artifact was replaced repeatedly while it was read. Read it again.", {
      retryAfterSeconds: 1,
    });
  }

  /** All bytes of the content that `artifact` describes; null: the artifact has other content now. */
  async bytes(artifact: Artifact): Promise<Uint8Array | null> {
    let stands = true;
    const content = await this.open(artifact, (row) => {
      stands = row.checksum === artifact.checksum && row.sizeBytes === artifact.sizeBytes;
      return stands ? null : false;
    });
    if (content === null || !stands) return null;
    const chunks: Uint8Array[] = [];
    for await (const chunk of content.body) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async #riding(row: ArtifactRow, bytes: Uint8Array, range: ByteRange | null): Promise<Uint8Array> {
    const checksum = createHash("sha256").update(bytes).digest("hex");
    if (checksum !== row.checksum) throw await this.#damaged(row, `its bytes have the checksum ${checksum}`);
    return range === null ? bytes : bytes.subarray(range.start, range.end + 1);
  }

  async #readObject(
    row: ArtifactRow,
    range: ByteRange | null,
    signal: AbortSignal | undefined,
  ): Promise<AsyncIterable<Uint8Array> | null> {
    const store = storeById(this.#parts.stores, row.store);
    try {
      const { sizeBytes, checksum } = row;
      const body = await store.read(row.object, { range, sizeBytes, checksum, signal });
      return body && this.#watch(row, body);
    } catch (error) {
      throw await this.#seen(row, error);
    }
  }

  /**
   * Forwards each call: a generator that was never started would not forward return(), which closes the
   * object.
   */
  #watch(row: ArtifactRow, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const seen = (error: unknown) => this.#seen(row, error);
    return {
      [Symbol.asyncIterator]: () => {
        const source = body[Symbol.asyncIterator]();
        return {
          next: async () => {
            try {
              return await source.next();
            } catch (error) {
              throw await seen(error);
            }
          },
          return: async () => (await source.return?.()) ?? { done: true, value: undefined },
        };
      },
    };
  }

  async #seen(row: ArtifactRow, error: unknown): Promise<unknown> {
    return error instanceof Refused && error.code === "CHECKSUM_MISMATCH"
      ? this.#damaged(row, error.message)
      : error;
  }

  /**
   * Writes one event per damaged object, however often it is read. Refuses the read even where the event
   * cannot be written.
   */
  async #damaged(row: ArtifactRow, found: string): Promise<Refused> {
    const { catalog, clock, onDamage } = this.#parts;
    onDamage(row);
    const { tenantId, workflowId, artifactId } = row;
    try {
      await catalog.commit({
        kind: "damage",
        at: clock.now(),
        actor: "system",
        key: { tenantId, workflowId, artifactId },
        object: row.object,
        error: found,
      });
    } catch {}
    return new Refused(
      "CHECKSUM_MISMATCH",
      "The stored bytes are damaged. Write the artifact again, or restore its bytes from a backup.",
      { checksum: row.checksum, tier: row.tier },
    );
  }
}

async function* none(): AsyncGenerator<Uint8Array> {}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}
