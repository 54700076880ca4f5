import { getEnvironmentData, type MessagePort, parentPort, type Transferable } from "node:worker_threads";
import { errorRecord } from "./error-record.ts";
import { type CallRequest, OPENING, type Reply, type Request } from "./messages.ts";

/** Environment data with this name is the URL of a module that each thread loads before it opens. For tests. */
export const THREAD_PRELOAD = "tierkeep thread preload";

/** The work of one thread. */
export interface ThreadService {
  /** What the opening of the thread returns to its client. */
  readonly opened?: unknown;
  /** Performs a call. The client receives the returned value, or what the promise resolves with, or the error. */
  call(method: string, args: readonly unknown[], id: number): unknown;
  /** The client no longer needs the result of the call with this id. A promise that never settles is allowed then. */
  cancel?(id: number): void;
  /** Memory to hand over with a result instead of copying it. */
  transferOf?(value: unknown): Transferable[];
  /** Runs after each call whose result was returned directly, when its reply has been sent. */
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

function performCall(port: MessagePort, service: ThreadService, { id, method, args }: CallRequest): void {
  try {
    const result = service.call(method, args, id);
    if (result instanceof Promise) {
      result.then((value) => reply(port, service, id, value)).catch((error) => replyError(port, id, error));
      return;
    }
    reply(port, service, id, result);
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
