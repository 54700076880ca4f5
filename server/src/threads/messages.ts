import type { ErrorRecord } from "./error-record.ts";

/** Messages to a thread. `close` is the last one; it and `cancel` have no reply. */
export type Request = CallRequest | { readonly cancel: number } | { readonly close: true };

export interface CallRequest {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Messages from a thread: one for its opening, then one per call. */
export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorRecord };

/** Id of the first reply, which says whether the thread could open. Calls have ids from 1. */
export const OPENING = 0;
