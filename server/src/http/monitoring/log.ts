import process from "node:process";
import { type LevelWithSilent, type Logger, pino } from "pino";
import { LineOutput } from "./line-output.ts";
import { loggedError } from "./logged-error.ts";

/** Used by every log of a server. */
export const SERIALIZERS = { err: (error: unknown) => loggedError(error) };

/** Returns the log of a server: one JSON object per line. */
export function createLog(level: LevelWithSilent, output: Pick<LineOutput, "write">): Logger {
  return pino(
    {
      level,
      base: null,
      serializers: SERIALIZERS,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    output,
  );
}

/**
 * Output of a server's log: stderr, because stdout belongs to the command. Never blocks or ends the server.
 */
export function logOutput(): LineOutput {
  return new LineOutput(2, (dropped) => {
    const facts = { level: "warn", time: new Date().toISOString(), dropped };
    return `${JSON.stringify({ ...facts, msg: "log lines were dropped: stderr could not be written" })}\n`;
  });
}

/** Returns the log of a command that has opened the store itself: warnings as plain lines on stderr. */
export function createWarnings(): Logger {
  return pino(
    { level: "warn", base: null, timestamp: false },
    {
      write(line: string) {
        const { msg, err } = JSON.parse(line) as {
          readonly msg: string;
          readonly err?: { readonly message: string };
        };
        process.stderr.write(`tierkeep: ${msg}${err === undefined ? "" : `: ${err.message}`}\n`);
      },
    },
  );
}
