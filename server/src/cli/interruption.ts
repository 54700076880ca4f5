import process from "node:process";

/** Ends a command early: on SIGINT, on SIGTERM, or, for a command that only reads, when its stdout is closed. */
export interface Interruption extends Disposable {
  /** Aborts on the first of these. A second signal ends the process immediately. */
  readonly signal: AbortSignal;
  /** The exit code of a command that ended because of it; null: not interrupted. */
  readonly exitCode: 0 | 130 | 143 | null;
}

/** @param closed aborts when the reader of stdout has gone; null: the command changes something and continues then */
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
  closed?.addEventListener("abort", () => end(0, "The reader of stdout has closed it."), { once: true });
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
