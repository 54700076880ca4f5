import type { Catalog } from "../catalog/catalog.ts";
import { ANSWER_LIFETIME_MS } from "../catalog/decide/decide-retry.ts";

/** Answers removed in one commit. */
const BATCH = 256;

/** Beyond the time for which answers count: none goes under a request that has found that it counts. */
const GRACE_MS = 60 * 60 * 1000;

/** Removes some of the answers that count no more. Nobody waits for them to go, so it is for the caller to come back. */
export async function forget(catalog: Catalog, now: number): Promise<void> {
  const before = now - ANSWER_LIFETIME_MS - GRACE_MS;
  const oldest = await catalog.oldestAnswer();
  if (oldest === null || oldest >= before) return;
  await catalog.commit({ kind: "sweepAnswers", before, limit: BATCH });
}
