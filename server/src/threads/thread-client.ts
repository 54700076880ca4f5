import { type Transferable, Worker, type WorkerOptions } from "node:worker_threads";
import { errorFrom } from "./error-record.ts";
import { OPENING, type Reply, type Request } from "./messages.ts";

export interface ThreadClientOptions {
  /** A module that calls `serveThread`. */
  readonly script: URL;
  readonly worker: WorkerOptions;
  /** always: the process lives as long as the thread. calls: only while a call is pending. */
  readonly keepsProcessAlive: "always" | "calls";
  /** The error of calls on a thread that has ended; `cause` is the error that ended it, null after a plain exit. */
  readonly endedError: (cause: unknown) => Error;
  /** The error of calls after `close`. */
  readonly closedError: () => Error;
  /** Translates the error of a failed call, such as to restore its class. Default: none. */
  readonly callError?: (error: Error) => unknown;
  /** Runs once when the thread ends without `close`, a failed opening included. */
  readonly onEnd?: () => void;
}

interface PendingCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const NOTHING: readonly Transferable[] = [];

/**
 * Starts a worker thread and calls its `ThreadService`. Replies carry the id of their call, so a thread may reply in
 * another order than it is called in.
 *
 * States:
 * - starting: the thread loads its script. Calls are queued in the thread's port.
 * - open: `opened` has resolved.
 * - closing: `close` was called. New calls reject with `closedError`.
 * - ended: the thread has exited. All calls reject: with `closedError` after `close`, otherwise with `endedError`.
 *
 * A thread that cannot open, throws outside of a call or exits goes straight to ended. An ended client stays ended; its
 * owner starts another one.
 */
export class ThreadClient<Opened = unknown> {
  /** What the service returned at its opening. Rejects with the error of a failed opening. */
  readonly opened: Promise<Opened>;
  readonly #options: ThreadClientOptions;
  readonly #worker: Worker;
  readonly #opening = Promise.withResolvers<Opened>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #pending = new Map<number, PendingCall>();
  #lastId = 0;
  /** Rejects further calls; null in the states starting and open. */
  #refusal: Error | null = null;
  #closing: Promise<void> | null = null;
  #drained: PromiseWithResolvers<void> | null = null;

  constructor(options: ThreadClientOptions) {
    this.#options = options;
    this.opened = this.#opening.promise;
    // Not every owner waits for the opening: a failure of it also rejects the calls.
    this.opened.catch(() => {});
    this.#worker = new Worker(options.script, options.worker);
    this.#worker.on("message", (reply: Reply) => this.#receive(reply));
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("exit", () => {
      this.#end(null);
      this.#exited.resolve();
    });
    if (options.keepsProcessAlive === "calls") this.#worker.unref();
  }

  get hasEnded(): boolean {
    return this.#refusal !== null;
  }

  /** The number of pending calls. */
  get load(): number {
    return this.#pending.size;
  }

  /**
   * Resolves with the result of the call.
   *
   * @param transfer memory in `args` to hand over instead of copying it
   * @param signal cancels the call: the promise rejects with its reason, and the thread need not finish
   * @throws the error of the call, or `endedError` or `closedError`
   */
  call(
    method: string,
    args: readonly unknown[],
    transfer: readonly Transferable[] = NOTHING,
    signal?: AbortSignal,
  ): Promise<unknown> {
    if (this.#refusal !== null) return Promise.reject(this.#refusal);
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#lastId += 1;
    const id = this.#lastId;
    const result = new Promise((resolve, reject) => {
      this.#worker.postMessage({ id, method, args } satisfies Request, transfer);
      if (this.#pending.size === 0 && this.#options.keepsProcessAlive === "calls") this.#worker.ref();
      this.#pending.set(id, { resolve, reject });
    });
    return signal === undefined ? result : this.#cancellable(id, result, signal);
  }

  /** Resolves once no call is pending. */
  async drained(): Promise<void> {
    if (this.#pending.size === 0) return;
    this.#drained ??= Promise.withResolvers();
    await this.#drained.promise;
  }

  /** Closes the service after the calls before this one, and resolves when the thread has exited. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#refusal !== null) return;
    this.#refusal = this.#options.closedError();
    this.#worker.ref();
    this.#worker.postMessage({ close: true } satisfies Request);
    await this.#exited.promise;
  }

  async #cancellable(id: number, result: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
    const cancel = () => {
      const call = this.#take(id);
      if (call === undefined) return;
      if (this.#refusal === null) this.#worker.postMessage({ cancel: id } satisfies Request);
      call.reject(signal.reason);
    };
    signal.addEventListener("abort", cancel, { once: true });
    try {
      return await result;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  #receive(reply: Reply): void {
    if (reply.id === OPENING) {
      if (reply.ok) this.#opening.resolve(reply.value as Opened);
      else this.#end(errorFrom(reply.error));
      return;
    }
    // A cancelled call is no longer pending; its reply may have been on its way.
    const call = this.#take(reply.id);
    if (reply.ok) call?.resolve(reply.value);
    else call?.reject(this.#callError(errorFrom(reply.error)));
  }

  #callError(error: Error): unknown {
    return this.#options.callError === undefined ? error : this.#options.callError(error);
  }

  /** Removes a call from the pending ones. */
  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    if (call === undefined) return undefined;
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#onIdle();
    return call;
  }

  #onIdle(): void {
    if (this.#options.keepsProcessAlive === "calls" && this.#closing === null) this.#worker.unref();
    this.#drained?.resolve();
    this.#drained = null;
  }

  #end(cause: unknown): void {
    const unexpected = this.#refusal === null;
    this.#refusal ??= this.#options.endedError(cause);
    this.#opening.reject(cause ?? this.#refusal);
    for (const { reject } of this.#pending.values()) reject(this.#refusal);
    this.#pending.clear();
    this.#onIdle();
    if (unexpected) this.#options.onEnd?.();
  }
}
