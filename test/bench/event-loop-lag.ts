// Loaded into a server by `node --import`. Appends each stall of its event loop to a file in its working directory:
// the time in ms since the epoch at which it ended, and its length in ms.
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

const FILE = "event-loop-lag";
const INTERVAL_MS = 5;
const SHORTEST_MS = 20;

/** Environment variables with which a server records its stalls. */
export const LAG_ENV = { NODE_OPTIONS: `--import ${import.meta.url}` };

/**
 * Returns the longest stall in ms of the server with this working directory, of those that ended since `since` (ms
 * since the epoch).
 */
export function longestStallMs(dir: string, since: number): number {
  const lines = readFileSync(join(dir, FILE), "utf8").trim().split("\n");
  const stalls = lines.map((line) => line.split(" ").map(Number) as [number, number]);
  return Math.max(0, ...stalls.filter(([endedAt]) => endedAt > since).map(([, ms]) => ms));
}

if (isMainThread && process.argv.includes("serve")) {
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    const ms = now - last - INTERVAL_MS;
    last = now;
    if (ms >= SHORTEST_MS) appendFileSync(FILE, `${Date.now()} ${ms.toFixed()}\n`);
  }, INTERVAL_MS).unref();
}
