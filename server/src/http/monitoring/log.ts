import process from "node:process";
import { type LevelWithSilent, type Logger, pino } from "pino";
import { LineOutput } from "./line-output.ts";
import { loggedError } from "./logged-error.ts";

/** For every log of a server. */
export const SERIALIZERS = { err: (error: unknown) => loggedError(error) };

/** The log of a server: a JSON object a line. */
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

/** Where a server's log goes: stderr, for stdout belongs to the command. Never blocks or ends the server. */
export function logOutput(): LineOutput {
  return new LineOutput(2, (dropped) => {
    const facts = { level: "warn", time: new Date().toISOString(), dropped };
    return `${JSON.stringify({ ...facts, msg: "log lines were dropped: stderr could not be written" })}\n`;
  });
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
