import { Refused } from "@tierkeep/schema/domain/refusals";
import type { WriteObjectOptions, WrittenObject } from "../../tier-store.ts";
import { Interrupt } from "../workers/interrupt.ts";
import type { IoWorker } from "../workers/io-workers.ts";

/** Bytes per message to the thread. */
const CHUNK_BYTES = 256 * 1024;
/**
 * Maximum number of chunks that are being written: with CHUNK_BYTES, the memory limit of one upload here (1
 * MiB).
 */
const CHUNKS_IN_FLIGHT = 4;

/**
 * Streams `content` through one worker into a new object; see TierStore.write. After an error, removes the
 * object.
 */
export async function writeStream(
  worker: IoWorker,
  object: string,
  content: AsyncIterable<Uint8Array>,
  { maxBytes, modifiedAt, signal }: WriteObjectOptions,
): Promise<WrittenObject> {
  const source = content[Symbol.asyncIterator]();
  const interrupt = new Interrupt(signal);
  let session: number | null = null;
  let pulling = false;
  try {
    // Throws where `signal` is aborted already: then no object is created.
    await interrupt.wait(Promise.resolve());
    session = await worker.call("beginWrite", [object, modifiedAt]);
    const sender = new ChunkSender(worker, session, interrupt);
    for (let sizeBytes = 0; ; ) {
      pulling = true;
      const next = await interrupt.wait(source.next());
      pulling = false;
      if (next.done) break;
      sizeBytes += next.value.length;
      if (maxBytes !== null && sizeBytes > maxBytes) throw tooLarge(maxBytes);
      await sender.add(next.value);
    }
    await sender.flush();
    return await worker.call("finishWrite", [session]);
  } catch (error) {
    // Not awaited: a source that is busy with its next chunk would return only after it, or never.
    const returned = Promise.resolve(source.return?.()).catch(() => {});
    if (!pulling) await returned;
    if (session !== null) await worker.call("discardWrite", [session]).catch(() => {});
    throw error;
  } finally {
    interrupt.dispose();
  }
}

/**
 * Copies the content into buffers of one size, which are transferred to the thread and back: few messages,
 * and no garbage.
 */
class ChunkSender {
  readonly #worker: IoWorker;
  readonly #session: number;
  readonly #interrupt: Interrupt;
  /** Oldest first. Each resolves with its buffer, for reuse. */
  readonly #inFlight: Promise<Uint8Array<ArrayBuffer>>[] = [];
  #buffer: Uint8Array<ArrayBuffer> | null = null;
  #filled = 0;
  #buffers = 0;

  constructor(worker: IoWorker, session: number, interrupt: Interrupt) {
    this.#worker = worker;
    this.#session = session;
    this.#interrupt = interrupt;
  }

  async add(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.length; ) {
      this.#buffer ??= await this.#emptyBuffer();
      const part = bytes.subarray(taken, taken + this.#buffer.length - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === this.#buffer.length) this.#send();
    }
  }

  /** Resolves once the thread has written all bytes. */
  async flush(): Promise<void> {
    if (this.#filled > 0) this.#send();
    for (const sent of this.#inFlight) await this.#interrupt.wait(sent);
  }

  async #emptyBuffer(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#buffers < CHUNKS_IN_FLIGHT) {
      this.#buffers += 1;
      return new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
    }
    const oldest = this.#inFlight.shift();
    if (oldest === undefined) throw new Error("every buffer is in use, and none is being written");
    const { buffer } = await this.#interrupt.wait(oldest);
    return new Uint8Array(buffer);
  }

  #send(): void {
    if (this.#buffer === null) return;
    const bytes = this.#buffer.subarray(0, this.#filled);
    const sent = this.#worker.call("append", [this.#session, bytes], [bytes.buffer]);
    // Reports a full disk immediately, not with the source's next chunk.
    sent.catch((error: unknown) => this.#interrupt.fail(error));
    this.#inFlight.push(sent);
    this.#buffer = null;
    this.#filled = 0;
  }
}

function tooLarge(maxBytes: number): Refused {
  return new Refused(
    "CONTENT_TOO_LARGE",
    `The content is larger than the ${maxBytes} bytes that this server allows (MAX_ARTIFACT_BYTES). Split it, or raise the limit.`,
  );
}
