import { extname } from "node:path";
import { ThreadClient } from "../../../threads/thread-client.ts";
import { StorageError } from "../../storage-error.ts";
import { storeClosed } from "../storage-errors.ts";
import type { WorkerSettings } from "./io-worker.ts";
import type {
  IoWorker,
  IoWorkers,
  OperationArguments,
  OperationName,
  OperationResult,
} from "./io-workers.ts";

/** The worker's script, next to this module: .ts in a clone and .js in the package. */
const SCRIPT = new URL(`io-worker${extname(import.meta.url)}`, import.meta.url);

export interface IoPoolOptions {
  readonly root: string;
  readonly durability: "fsync" | "os";
  readonly threads: number;
}

/**
 * A fixed number of threads for file operations. libuv has four, and four pending fsyncs would block every other file
 * read and DNS lookup of the process.
 *
 * A thread starts with its first call and keeps the process alive only while calls are pending. When one dies, its
 * pending calls and its sessions fail as UNAVAILABLE, and the next call starts another.
 */
export function ioPool(options: IoPoolOptions): IoWorkers {
  const threads = Array.from({ length: options.threads }, (_, worker) => new PoolThread(options, worker));
  let closed = false;
  let turn = 0;
  const use = (thread: PoolThread | undefined): IoWorker => {
    if (thread === undefined || closed) throw storeClosed();
    return thread.current();
  };
  return {
    count: threads.length,
    at: (index) => use(threads[index % threads.length]),
    leastBusy: () => {
      // Rotates, so that sessions, which are idle between two chunks, spread over threads with the same load.
      turn = (turn + 1) % threads.length;
      const inTurn = [...threads.slice(turn), ...threads.slice(0, turn)];
      return use(inTurn.toSorted((a, b) => a.load - b.load)[0]);
    },
    close: async () => {
      closed = true;
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

/** One of the pool's threads: not started, running, or ended; `current` starts it in the first and the last state. */
class PoolThread {
  readonly #options: IoPoolOptions;
  readonly #index: number;
  #running: RunningWorker | null = null;

  constructor(options: IoPoolOptions, index: number) {
    this.#options = options;
    this.#index = index;
  }

  get load(): number {
    return this.#running?.client.load ?? 0;
  }

  current(): IoWorker {
    if (this.#running === null || this.#running.client.hasEnded) {
      const { root, durability } = this.#options;
      this.#running = new RunningWorker({ root, durability, worker: this.#index });
    }
    return this.#running;
  }

  /** Finishes the pending calls, then ends the thread, which closes the descriptors of open sessions. */
  async close(): Promise<void> {
    await this.#running?.client.drained();
    await this.#running?.client.close();
  }
}

class RunningWorker implements IoWorker {
  readonly client: ThreadClient;

  constructor(settings: WorkerSettings) {
    this.client = new ThreadClient({
      script: SCRIPT,
      worker: {
        workerData: settings,
        // Not the process's arguments: --eval and --input-type would prevent the script from loading.
        execArgv: [],
        // A small nursery is enough: the memory of buffers is outside V8's heap.
        resourceLimits: { maxYoungGenerationSizeMb: 2 },
        name: `tierkeep io ${settings.worker}`,
      },
      keepsProcessAlive: "calls",
      callError: StorageError.revive,
      closedError: storeClosed,
      endedError: (cause) =>
        new StorageError(
          "UNAVAILABLE",
          "A thread that reads and writes files has ended. Try again: another thread replaces it.",
          { cause },
        ),
    });
  }

  call<K extends OperationName>(
    operation: K,
    args: OperationArguments<K>,
    transfer?: readonly ArrayBuffer[],
  ): Promise<OperationResult<K>> {
    return this.client.call(operation, args, transfer) as Promise<OperationResult<K>>;
  }
}
