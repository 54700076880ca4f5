import { getEnvironmentData, type MessagePort, parentPort } from "node:worker_threads";

/** What a thread says first: that it is open, or why not. */
export type Opened<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly name: string; readonly message: string };

/** `close` is the last call, and has no answer. */
export interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly errcode: unknown };

export interface Served<T> {
  readonly opened: T;
  call(method: string, args: readonly unknown[]): unknown;
  /** After an answer has left. */
  idle?(): void;
  close(): void;
}

/** Name of the environment data under which a process may leave a module for its catalog threads to load first. */
export const THREAD_PRELOAD = "tierkeep catalog thread preload";

/** Opens what the thread is for and answers its calls until it is closed. */
export async function serve<T>(open: () => Served<T>): Promise<void> {
  const port = parentPort as MessagePort;
  const preload = getEnvironmentData(THREAD_PRELOAD);
  if (typeof preload === "string") await import(preload);
  let served: Served<T>;
  try {
    served = open();
  } catch (error) {
    const { name, message } = error as Error;
    port.postMessage({ ok: false, name, message } satisfies Opened<T>);
    port.close();
    return;
  }
  port.postMessage({ ok: true, value: served.opened } satisfies Opened<T>);
  port.on("message", ({ id, method, args }: Call) => {
    if (method === "close") {
      served.close();
      port.close();
      return;
    }
    try {
      port.postMessage({ id, ok: true, value: served.call(method, args) } satisfies Answer);
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const errcode = error instanceof Error && "errcode" in error ? error.errcode : null;
      port.postMessage({ id, ok: false, message, errcode } satisfies Answer);
    }
    served.idle?.();
  });
}
