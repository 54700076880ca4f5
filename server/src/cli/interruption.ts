import process from "node:process";

/** What may end a command before its time: Ctrl-C, a request to stop, and for what only reads a pipe that nobody reads on. */
export interface Interruption extends Disposable {
  /** Aborts with the first of them. The second signal ends the process at once. */
  readonly signal: AbortSignal;
  /** The exit code of a command that ended because of it; null: nothing has happened. */
  readonly exitCode: 0 | 130 | 143 | null;
}

/** @param closed aborts when nobody reads stdout any more; null: the command goes on all the same, for it changes something */
export function interruption(closed: AbortSignal | null): Interruption {
  const controller = new AbortController();
  let exitCode: Interruption["exitCode"] = null;

  function end(code: 0 | 130 | 143, reason: string): void {
    if (exitCode !== null) return;
    exitCode = code;
    controller.abort(new DOMException(reason, "AbortError"));
  }
  function onSignal(name: NodeJS.Signals): void {
    const code = name === "SIGINT" ? 130 : 143;
    if (controller.signal.aborted) process.exit(code);
    end(code, name);
  }

  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  closed?.addEventListener("abort", () => end(0, "Nobody reads stdout any more."), { once: true });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]() {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    },
  };
}
