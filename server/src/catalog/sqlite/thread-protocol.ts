import { getEnvironmentData, type MessagePort, parentPort } from "node:worker_threads";

/** What a thread says first: that it is open, or why not. */
export type Opened<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly name: string; readonly message: string };

/** `close` is the last call, and has no answer; nor has `abandon`, which takes back the call with its id. */
export interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
  /** Where calls take turns: on whose behalf this one is, and how many rows it may look at; null: any number. */
  readonly turn?: { readonly owner: string; readonly maxRows: number | null } | undefined;
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly errcode: unknown };

export interface Served<T> {
  readonly opened: T;
  /** Answers a call at once. Given instead of `begin`. */
  call?(method: string, args: readonly unknown[]): unknown;
  /** Begins a call that is answered when it has ended. */
  begin?(call: Call, ended: (value: unknown) => void, failed: (error: unknown) => void): void;
  abandon?(id: number): void;
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
  port.on("message", (call: Call) => {
    const { id, method, args } = call;
    if (method === "close") {
      served.close();
      port.close();
      return;
    }
    if (method === "abandon") return served.abandon?.(id);
    const ended = (value: unknown) => port.postMessage({ id, ok: true, value } satisfies Answer);
    const failed = (error: unknown) => {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const errcode = error instanceof Error && "errcode" in error ? error.errcode : null;
      port.postMessage({ id, ok: false, message, errcode } satisfies Answer);
    };
    try {
      if (served.begin !== undefined) served.begin(call, ended, failed);
      else ended(served.call?.(method, args));
    } catch (error) {
      failed(error);
    }
    served.idle?.();
  });
}
