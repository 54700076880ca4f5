import { setTimeout as pause } from "node:timers/promises";

const WAIT_TIMEOUT_MS = 30_000;

/**
 * Repeats a check until it finds no problem, because settling, publishing, collecting and exporting happen after the
 * commit. Resolves with the problems that remain after 30 seconds.
 *
 * @param what the expected state, with which each problem starts
 */
export async function eventually(what: string, check: () => Promise<readonly string[]>): Promise<string[]> {
  const deadline = Date.now() + WAIT_TIMEOUT_MS;
  for (;;) {
    const problems = await check().catch((error: unknown) => {
      // A file may be deleted between the listing and the read.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [String(error)];
      throw error;
    });
    if (problems.length === 0) return [];
    if (Date.now() > deadline) return problems.map((problem) => `${what}, but: ${problem}`);
    await pause(50);
  }
}
