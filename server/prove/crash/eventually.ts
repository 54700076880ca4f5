import { setTimeout as pause } from "node:timers/promises";

const WAIT_TIMEOUT_MS = 30_000;

/**
 * Waits until nothing is wrong any more, since settling, publishing, collecting and exporting follow the commit. Resolves
 * with what still is after half a minute.
 */
export async function eventually(what: string, look: () => Promise<readonly string[]>): Promise<string[]> {
  const giveUp = Date.now() + WAIT_TIMEOUT_MS;
  for (;;) {
    const problems = await look().catch((error: unknown) => {
      // A file may go between being listed and being looked at.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [String(error)];
      throw error;
    });
    if (problems.length === 0) return [];
    if (Date.now() > giveUp) return problems.map((problem) => `${what}, but: ${problem}`);
    await pause(50);
  }
}
