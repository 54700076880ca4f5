import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { failureFrom, storageError, storeClosed } from "../storage-errors.ts";
import type { WorkerReply, WorkerRequest, WorkerSettings } from "./io-worker.ts";
import type {
  IoWorker,
  IoWorkers,
  OperationArguments,
  OperationName,
  OperationResult,
} from "./io-workers.ts";

/** The worker's script, beside this module: both end in .ts in a clone and in .js in the package. */
const WORKER = new URL(`io-worker${extname(import.meta.url)}`, import.meta.url);

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface IoPoolOptions {
  readonly root: string;
  readonly durability: "fsync" | "os";
  readonly threads: number;
  /** The worker's script. */
  readonly entry?: URL;
}

/**
 * Threads of our own for file operations. libuv's four would do the same work, but four fsyncs fill them, and then
 * every read of a file and every look-up of a name waits for a disk.
 *
 * A thread starts when it is first needed and keeps the process alive only while it is asked something. One that dies
 * takes its sessions with it (TIER_UNAVAILABLE); the next call starts another.
 */
export function ioPool(options: IoPoolOptions): IoWorkers {
  const threads = Array.from({ length: options.threads }, (_, worker) => new Thread(options, worker));
  let closed = false;
  let turn = 0;
  const use = (thread: Thread | undefined): IoWorker => {
    if (thread === undefined || closed) throw storeClosed();
    return thread.current();
  };
  return {
    count: threads.length,
    at: (index) => use(threads[index % threads.length]),
    leastBusy: () => {
      // Among equals each has its turn, so that sessions, idle between two chunks, do not pile up on one.
      turn = (turn + 1) % threads.length;
      const inTurn = [...threads.slice(turn), ...threads.slice(0, turn)];
      return use(inTurn.toSorted((a, b) => a.load - b.load)[0]);
    },
    close: async () => {
      closed = true;
      await Promise.all(threads.map((thread) => thread.stop()));
    },
  };
}

class Thread {
  readonly #options: IoPoolOptions;
  readonly #index: number;
  #running: RunningWorker | null = null;

  constructor(options: IoPoolOptions, index: number) {
    this.#options = options;
    this.#index = index;
  }

  get load(): number {
    return this.#running?.load ?? 0;
  }

  current(): IoWorker {
    if (this.#running === null || this.#running.dead) {
      const { root, durability, entry = WORKER } = this.#options;
      this.#running = new RunningWorker(entry, { root, durability, worker: this.#index });
    }
    return this.#running;
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
  }
}

/** One worker from its start to its end. */
class RunningWorker implements IoWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #death: Error | null = null;
  #drained: (() => void) | null = null;

  constructor(entry: URL, settings: WorkerSettings) {
    // Without the main thread's arguments: some (--eval, --input-type) keep a script from being loaded.
    this.#worker = new Worker(entry, {
      workerData: settings,
      execArgv: [],
      // Their memory is buffers, which are not in V8's heap: a small nursery is enough for what they do beside.
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
      name: `tierkeep io ${settings.worker}`,
    });
    this.#worker.on("message", (reply: WorkerReply) => this.#settle(reply));
    this.#worker.on("error", (error) => this.#die(error));
    this.#worker.on("exit", () => this.#die(null));
    this.#worker.unref();
  }

  get dead(): boolean {
    return this.#death !== null;
  }

  get load(): number {
    return this.#waiting.size;
  }

  call<K extends OperationName>(
    operation: K,
    args: OperationArguments<K>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<OperationResult<K>> {
    if (this.#death !== null) return Promise.reject(this.#death);
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const request: WorkerRequest = { id: this.#lastId, operation, args };
      this.#worker.postMessage(request, transfer);
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(request.id, { resolve: resolve as (result: unknown) => void, reject });
    });
  }

  /** Lets it finish what it was asked, then ends it; descriptors that sessions had open are closed with it. */
  async stop(): Promise<void> {
    if (this.#death !== null) return;
    if (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    this.#die(storeClosed());
    await this.#worker.terminate();
  }

  #settle(reply: WorkerReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) waiting?.resolve(reply.result);
    else waiting?.reject(storageError(failureFrom(reply.failure)));
    if (this.#waiting.size === 0) {
      this.#worker.unref();
      this.#drained?.();
    }
  }

  #die(cause: unknown): void {
    if (this.#death !== null) return;
    this.#death =
      cause instanceof Refused
        ? cause
        : new Refused(
            "TIER_UNAVAILABLE",
            "A thread that reads and writes files has ended. Try again; another one takes its place.",
            {},
            { cause },
          );
    for (const { reject } of this.#waiting.values()) reject(this.#death);
    this.#waiting.clear();
    this.#drained?.();
  }
}
