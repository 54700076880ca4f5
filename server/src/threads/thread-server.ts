import { getEnvironmentData, type MessagePort, parentPort, type Transferable } from "node:worker_threads";
import { errorRecord } from "./error-record.ts";
import { type CallRequest, OPENING, type Reply, type Request } from "./messages.ts";

/** Environment data with this name is the URL of a module that each thread loads before it opens. For tests. */
export const THREAD_PRELOAD = "tierkeep thread preload";

/** The work of one thread: it implements either `call` or `start`. */
export interface ThreadService {
  /** What the opening of the thread returns to its client. */
  readonly opened?: unknown;
  /** Performs a call and returns its result, or throws its error. */
  call?(method: string, args: readonly unknown[]): unknown;
  /** Starts a call whose result comes later, and in any order. Exactly one of the callbacks is to be called, once. */
  start?(call: CallRequest, resolve: (value: unknown) => void, reject: (error: unknown) => void): void;
  /** The client no longer needs the result of the call with this id. The callbacks need not be called then. */
  cancel?(id: number): void;
  /** Memory to hand over with a result instead of copying it. */
  transferOf?(value: unknown): Transferable[];
  /** Runs after each `call` or `start`, when the reply of a `call` has been sent. */
  afterCall?(): void;
  close?(): void;
}

/** Opens the service and performs the calls of this thread's `ThreadClient` in order, until the client closes it. */
export async function serveThread(open: () => ThreadService): Promise<void> {
  const port = parentPort as MessagePort;
  const preload = getEnvironmentData(THREAD_PRELOAD);
  if (typeof preload === "string") await import(preload);
  let service: ThreadService;
  try {
    service = open();
  } catch (error) {
    replyError(port, OPENING, error);
    port.close();
    return;
  }
  reply(port, service, OPENING, service.opened);
  port.on("message", (request: Request) => {
    if ("method" in request) {
      performCall(port, service, request);
    } else if ("cancel" in request) {
      service.cancel?.(request.cancel);
    } else {
      service.close?.();
      port.close();
    }
  });
}

function performCall(port: MessagePort, service: ThreadService, request: CallRequest): void {
  const { id, method, args } = request;
  try {
    if (service.start === undefined) reply(port, service, id, service.call?.(method, args));
    else
      service.start(
        request,
        (value) => reply(port, service, id, value),
        (error) => replyError(port, id, error),
      );
  } catch (error) {
    replyError(port, id, error);
  }
  service.afterCall?.();
}

function reply(port: MessagePort, service: ThreadService, id: number, value: unknown): void {
  const message: Reply = { id, ok: true, value };
  if (service.transferOf === undefined) port.postMessage(message);
  else port.postMessage(message, service.transferOf(value));
}

function replyError(port: MessagePort, id: number, error: unknown): void {
  port.postMessage({ id, ok: false, error: errorRecord(error) } satisfies Reply);
}
