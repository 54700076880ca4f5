import { type Transferable, Worker } from "node:worker_threads";
import type { Answer, Call, Opened } from "./thread-protocol.ts";

/** A thread that answers calls in the order in which they come. */
export class ThreadClient {
  readonly #worker: Worker;
  readonly #pending = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  readonly #died: (error: Error) => void;
  #nextId = 1;
  #dead: Error | null = null;

  private constructor(worker: Worker, died: (error: Error) => void) {
    this.#worker = worker;
    this.#died = died;
  }

  /**
   * Starts `script` with `data`, and resolves with what it says once it is open.
   * @param died called once when the thread ends without having been asked to
   * @throws Error as the thread's opening did, its name kept
   */
  static async start<T>(
    script: URL,
    data: unknown,
    died: (error: Error) => void,
  ): Promise<{ readonly client: ThreadClient; readonly opened: T }> {
    const worker = new Worker(script, { workerData: data, resourceLimits: { maxYoungGenerationSizeMb: 4 } });
    const client = new ThreadClient(worker, died);
    return await new Promise((resolve, reject) => {
      worker.once("message", (opened: Opened<T>) => {
        if (!opened.ok) {
          reject(Object.assign(new Error(opened.message), { name: opened.name }));
          return;
        }
        worker.on("message", (answer: Answer) => client.#answered(answer));
        resolve({ client, opened: opened.value });
      });
      worker.on("error", (error) => {
        reject(error);
        client.#end(error as Error);
      });
      worker.on("exit", () => client.#end(new Error("The catalog's thread ended.")));
    });
  }

  call(method: string, args: readonly unknown[], transfer: readonly Transferable[] = []): Promise<unknown> {
    return this.#send({ method, args }, transfer);
  }

  /**
   * The same for a thread whose callers take turns.
   *
   * @throws AbortError where `signal` aborts first: then the thread does not begin, or stops soon
   */
  async callInTurn(
    method: string,
    args: readonly unknown[],
    turn: NonNullable<Call["turn"]>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    signal?.throwIfAborted();
    const id = this.#nextId;
    const answer = this.#send({ method, args, turn });
    const abandon = () => {
      const waiting = this.#pending.get(id);
      this.#pending.delete(id);
      if (this.#dead === null) this.#worker.postMessage({ id, method: "abandon", args: [] } satisfies Call);
      waiting?.reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", abandon, { once: true });
    try {
      return await answer;
    } finally {
      signal?.removeEventListener("abort", abandon);
    }
  }

  #send(call: Omit<Call, "id">, transfer: readonly Transferable[] = []): Promise<unknown> {
    if (this.#dead !== null) return Promise.reject(this.#dead);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...call } satisfies Call, transfer);
    });
  }

  /** Asks the thread to let go of everything, and waits for its end. */
  async close(): Promise<void> {
    if (this.#dead !== null) return;
    const ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    this.#dead = new Error("The catalog is closed.");
    this.#worker.postMessage({ id: 0, method: "close", args: [] } satisfies Call);
    await ended;
  }

  #answered(answer: Answer): void {
    const waiting = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.value);
    else waiting?.reject(Object.assign(new Error(answer.message), { errcode: answer.errcode }));
  }

  #end(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    if (this.#dead !== null) return;
    this.#dead = error;
    this.#died(error);
  }
}
