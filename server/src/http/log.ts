import { destination, type Logger, pino } from "pino";

/**
 * The log: JSON lines on stderr, for stdout belongs to the command. Never blocks on a slow reader; what is not written yet
 * is written when the process exits.
 */
export function createLog(level: "info" | "warn" | "silent" = "info"): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: 2, sync: false }),
  );
}
