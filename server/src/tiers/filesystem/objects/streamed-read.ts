import { Interrupt } from "../workers/interrupt.ts";
import type { IoWorker } from "../workers/io-workers.ts";

/**
 * Iterates over the bytes of a read session, once. Reads one chunk ahead while the consumer processes the
 * current one. A class and not a generator: return() must close the descriptor also when next() was never
 * called.
 */
export class ObjectStream implements AsyncIterableIterator<Uint8Array> {
  readonly #worker: IoWorker;
  readonly #session: number;
  readonly #interrupt: Interrupt;
  #ahead: Promise<Uint8Array | null> | null = null;
  #ended = false;

  constructor(worker: IoWorker, session: number, signal: AbortSignal | undefined) {
    this.#worker = worker;
    this.#session = session;
    this.#interrupt = new Interrupt(signal, () => void this.#giveBack());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#ended) return { done: true, value: undefined };
    try {
      const bytes = await this.#interrupt.wait(this.#ahead ?? this.#read());
      if (bytes !== null) {
        this.#ahead = this.#read();
        return { done: false, value: bytes };
      }
      this.#end();
      return { done: true, value: undefined };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#ended) {
      this.#end();
      await this.#giveBack();
    }
    return { done: true, value: undefined };
  }

  #read(): Promise<Uint8Array | null> {
    const bytes = this.#worker.call("readNext", [this.#session]);
    // Prevents an unhandled rejection: the consumer may never call next(), which reports the error.
    bytes.catch(() => {});
    return bytes;
  }

  #end(): void {
    this.#ended = true;
    this.#ahead = null;
    this.#interrupt.dispose();
  }

  async #giveBack(): Promise<void> {
    // If the thread has ended, the descriptor is closed.
    await this.#worker.call("closeRead", [this.#session]).catch(() => {});
  }
}
