import { createHash } from "node:crypto";
import { ConnectionError, createTierkeep, type Tier, type Tierkeep, TierkeepError } from "@tierkeep/sdk";
import type { SeededRandom } from "../seeded-random.ts";
import type { Key, PossibleStates } from "./possible-states.ts";

const TIERS: readonly Tier[] = ["HOT", "WARM", "COLD"];
const DAY_MS = 24 * 60 * 60 * 1000;

/** Counts of the changes of all clients. */
export interface Tally {
  acknowledged: number;
  /** Changes without an answer, because the server was killed. */
  unanswered: number;
}

/** What all clients share. */
export interface ClientContext {
  readonly url: string;
  readonly random: SeededRandom;
  readonly states: PossibleStates;
  readonly tally: Tally;
}

type Change = (tierkeep: Tierkeep) => Promise<unknown>;

/**
 * Runs a change and counts its outcome. Nothing is retried, so a change without an answer was applied at most once.
 *
 * @returns false if the server is gone
 */
async function attempt({ url, tally }: ClientContext, change: Change): Promise<boolean> {
  try {
    await change(createTierkeep({ url, retries: 0 }));
    tally.acknowledged += 1;
    return true;
  } catch (error) {
    if (!(error instanceof ConnectionError) && !isShutdown(error)) throw error;
    tally.unanswered += 1;
    return false;
  }
}

function isShutdown(error: unknown): boolean {
  return error instanceof TierkeepError && error.code === "UNAVAILABLE";
}

/** Writes, overwrites, moves and purges a tenant's artifacts, one change at a time, until the server is gone. */
export async function changeArtifacts(
  context: ClientContext,
  tenantId: string,
  artifacts: number,
): Promise<void> {
  const { random, states } = context;
  for (;;) {
    const workflowId = `workflow-${random.between(0, 1)}`;
    const key: Key = { tenantId, workflowId, artifactId: `artifact-${random.between(1, artifacts)}` };
    const before = states.certain(key);
    const tier = TIERS[random.between(0, 2)] as Tier;
    const action = before === null ? 0 : random.between(0, 9);
    let isAnswered: boolean;
    if (before === null || action < 5) {
      const content = contentOf(random);
      const after = { checksum: createHash("sha256").update(content).digest("hex"), tier };
      isAnswered = await change(context, key, after, (tierkeep) =>
        content.length < 100_000 && random.between(0, 1) === 0
          ? tierkeep.writeArtifact({ ...key, tier, content: { base64: content.toString("base64") } })
          : tierkeep.upload(key, content, { tier }),
      );
    } else if (action < 8) {
      if (tier === before.tier) continue;
      isAnswered = await change(context, key, { ...before, tier }, (tierkeep) =>
        tierkeep.promoteArtifact({ ...key, toTier: tier }),
      );
    } else if (action < 9 && before.tier !== "HOT") {
      isAnswered = await change(context, key, { ...before, tier: "HOT" }, (tierkeep) =>
        tierkeep.restoreArtifact(key),
      );
    } else {
      isAnswered = await change(context, key, null, (tierkeep) => tierkeep.purgeArtifact(key));
    }
    if (!isAnswered) return;
  }
}

async function change(
  context: ClientContext,
  key: Key,
  after: ReturnType<PossibleStates["certain"]>,
  act: Change,
): Promise<boolean> {
  context.states.requested(key, after);
  const answered = await attempt(context, act);
  if (answered) context.states.confirmed(key, after);
  return answered;
}

/** Random content: mostly small, so that it is inline at first; some that is staged as an object; a few of megabytes. */
function contentOf(random: SeededRandom): Buffer<ArrayBuffer> {
  const kind = random.between(0, 9);
  const most = kind < 7 ? 4_000 : kind < 9 ? 200_000 : 3_000_000;
  const bytes = Buffer.alloc(random.between(0, most), random.between(0, 255));
  // All contents differ, so that one version's bytes cannot be mistaken for another's.
  return Buffer.concat([bytes, Buffer.from(String(random.between(0, 2 ** 31)))]);
}

/** Runs lifecycle runs and bulk restores over a tenant's artifacts, until the server is gone. */
export async function runJobs(context: ClientContext, tenantId: string, artifacts: number): Promise<void> {
  const { random, states } = context;
  const keys = Array.from({ length: artifacts }, (_, n) => ({
    tenantId,
    workflowId: "ages",
    artifactId: `artifact-${n}`,
  }));
  for (;;) {
    for (const key of keys) {
      if (states.certain(key) !== null || random.between(0, 1) === 0) continue;
      const content = contentOf(random);
      const after = { checksum: createHash("sha256").update(content).digest("hex"), tier: "HOT" as const };
      if (!(await change(context, key, after, (tierkeep) => tierkeep.upload(key, content)))) return;
    }
    const isAnswered =
      random.between(0, 3) === 0
        ? await restoreAll(context, tenantId, keys)
        : await age(context, tenantId, keys);
    if (!isAnswered) return;
  }
}

const NEXT: Readonly<Record<string, Tier | null>> = { HOT: "WARM", WARM: "COLD", COLD: null };

/** A lifecycle run with an `asOf` at which every artifact is due, so that each takes one step. */
function age(context: ClientContext, tenantId: string, keys: readonly Key[]): Promise<boolean> {
  const asOf = new Date(Date.now() + 100 * DAY_MS).toISOString();
  return job(
    context,
    keys,
    (state) => {
      const tier = NEXT[state.tier] ?? null;
      return tier === null ? null : { ...state, tier };
    },
    async (tierkeep) => (await tierkeep.runLifecycle({ tenantId, asOf })).job.finished(),
  );
}

function restoreAll(context: ClientContext, tenantId: string, keys: readonly Key[]): Promise<boolean> {
  return job(
    context,
    keys,
    (state) => ({ ...state, tier: "HOT" }),
    async (tierkeep) => (await tierkeep.restoreArtifacts({ where: { tenantId } })).job.finished(),
  );
}

async function job(
  context: ClientContext,
  keys: readonly Key[],
  stateAfter: (
    state: NonNullable<ReturnType<PossibleStates["certain"]>>,
  ) => ReturnType<PossibleStates["certain"]>,
  run: (tierkeep: Tierkeep) => Promise<{ readonly status: string; readonly totalErrors: number }>,
): Promise<boolean> {
  const { states } = context;
  const afterwards = keys.flatMap((key) => {
    const before = states.certain(key);
    return before === null ? [] : [{ key, after: stateAfter(before) }];
  });
  for (const { key, after } of afterwards) states.requested(key, after);
  const answered = await attempt(context, async (tierkeep) => {
    const { status, totalErrors } = await run(tierkeep);
    if (status !== "SUCCEEDED" || totalErrors > 0)
      throw new Error(`A job ended as ${status} with ${totalErrors} errors.`);
  });
  if (answered) for (const { key, after } of afterwards) states.confirmed(key, after);
  return answered;
}
