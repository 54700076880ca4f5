import process from "node:process";
import { destination, type Logger, pino } from "pino";
import { loggedError } from "./logged-error.ts";

/** For every log of a server. */
export const SERIALIZERS = { err: (error: unknown) => loggedError(error) };

/**
 * The log: JSON lines on stderr, for stdout belongs to the command. Never blocks on a slow reader; what is not written yet
 * is written when the process exits.
 */
export function createLog(level: "info" | "silent" = "info"): Logger {
  return pino(
    {
      level,
      base: null,
      serializers: SERIALIZERS,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: 2, sync: false }),
  );
}

/** Warnings for whoever runs a command that has opened the store itself: a sentence a line on stderr. */
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
