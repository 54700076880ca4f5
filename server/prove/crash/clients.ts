import { createHash } from "node:crypto";
import { ConnectionError, createTierkeep, type Tier, type Tierkeep, TierkeepError } from "@tierkeep/sdk";
import type { SeededRandom } from "../seeded-random.ts";
import type { Key, PossibleStates } from "./possible-states.ts";

const TIERS: readonly Tier[] = ["HOT", "WARM", "COLD"];
const DAY_MS = 24 * 60 * 60 * 1000;

/** Changes that were acknowledged, of all clients. */
export interface Tally {
  acknowledged: number;
  /** Changes that the server died under. */
  unanswered: number;
}

/** What every client has at hand. */
export interface AuditStore {
  readonly url: string;
  readonly random: SeededRandom;
  readonly states: PossibleStates;
  readonly tally: Tally;
}

type Change = (tierkeep: Tierkeep) => Promise<unknown>;

/**
 * Runs a change and notes what came of it. Nothing is sent twice, so what has no answer may have happened once.
 *
 * @returns false: the server is gone
 */
async function attempt({ url, tally }: AuditStore, change: Change): Promise<boolean> {
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

/** Writes, overwrites, moves and purges artifacts of its own, one change at a time, until the server is gone. */
export async function changeArtifacts(world: AuditStore, tenantId: string, artifacts: number): Promise<void> {
  const { random, states } = world;
  for (;;) {
    const workflowId = `workflow-${random.between(0, 1)}`;
    const key: Key = { tenantId, workflowId, artifactId: `artifact-${random.between(1, artifacts)}` };
    const before = states.certain(key);
    const tier = TIERS[random.between(0, 2)] as Tier;
    const action = before === null ? 0 : random.between(0, 9);
    let goesOn: boolean;
    if (before === null || action < 5) {
      const content = contentOf(random);
      const after = { checksum: createHash("sha256").update(content).digest("hex"), tier };
      goesOn = await change(world, key, after, (tierkeep) =>
        content.length < 100_000 && random.between(0, 1) === 0
          ? tierkeep.writeArtifact({ ...key, tier, content: { base64: content.toString("base64") } })
          : tierkeep.upload(key, content, { tier }),
      );
    } else if (action < 8) {
      if (tier === before.tier) continue;
      goesOn = await change(world, key, { ...before, tier }, (tierkeep) =>
        tierkeep.promoteArtifact({ ...key, toTier: tier }),
      );
    } else if (action < 9 && before.tier !== "HOT") {
      goesOn = await change(world, key, { ...before, tier: "HOT" }, (tierkeep) =>
        tierkeep.restoreArtifact(key),
      );
    } else {
      goesOn = await change(world, key, null, (tierkeep) => tierkeep.purgeArtifact(key));
    }
    if (!goesOn) return;
  }
}

async function change(
  world: AuditStore,
  key: Key,
  after: ReturnType<PossibleStates["certain"]>,
  act: Change,
): Promise<boolean> {
  world.states.asked(key, after);
  const answered = await attempt(world, act);
  if (answered) world.states.known(key, after);
  return answered;
}

/** Mostly small, which rides in the catalog at first; some that goes to a file of its own at once; a few of megabytes. */
function contentOf(random: SeededRandom): Buffer<ArrayBuffer> {
  const kind = random.between(0, 9);
  const most = kind < 7 ? 4_000 : kind < 9 ? 200_000 : 3_000_000;
  const bytes = Buffer.alloc(random.between(0, most), random.between(0, 255));
  // No two alike, so that one version's bytes cannot pass for another's.
  return Buffer.concat([bytes, Buffer.from(String(random.between(0, 2 ** 31)))]);
}

/** Takes a tenant's artifacts through lifecycle runs and bulk restores, until the server is gone. */
export async function runJobs(world: AuditStore, tenantId: string, artifacts: number): Promise<void> {
  const { random, states } = world;
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
      if (!(await change(world, key, after, (tierkeep) => tierkeep.upload(key, content)))) return;
    }
    const goesOn =
      random.between(0, 3) === 0 ? await restoreAll(world, tenantId, keys) : await age(world, tenantId, keys);
    if (!goesOn) return;
  }
}

const NEXT: Readonly<Record<string, Tier | null>> = { HOT: "WARM", WARM: "COLD", COLD: null };

/** Every artifact is due at that instant, so each takes one step. */
function age(world: AuditStore, tenantId: string, keys: readonly Key[]): Promise<boolean> {
  const asOf = new Date(Date.now() + 100 * DAY_MS).toISOString();
  return job(
    world,
    keys,
    (state) => {
      const tier = NEXT[state.tier] ?? null;
      return tier === null ? null : { ...state, tier };
    },
    async (tierkeep) => (await tierkeep.runLifecycle({ tenantId, asOf })).job.finished(),
  );
}

function restoreAll(world: AuditStore, tenantId: string, keys: readonly Key[]): Promise<boolean> {
  return job(
    world,
    keys,
    (state) => ({ ...state, tier: "HOT" }),
    async (tierkeep) => (await tierkeep.restoreArtifacts({ where: { tenantId } })).job.finished(),
  );
}

async function job(
  world: AuditStore,
  keys: readonly Key[],
  becomes: (
    state: NonNullable<ReturnType<PossibleStates["certain"]>>,
  ) => ReturnType<PossibleStates["certain"]>,
  run: (tierkeep: Tierkeep) => Promise<{ readonly status: string; readonly totalErrors: number }>,
): Promise<boolean> {
  const { states } = world;
  const afterwards = keys.flatMap((key) => {
    const before = states.certain(key);
    return before === null ? [] : [{ key, after: becomes(before) }];
  });
  for (const { key, after } of afterwards) states.asked(key, after);
  const answered = await attempt(world, async (tierkeep) => {
    const { status, totalErrors } = await run(tierkeep);
    if (status !== "SUCCEEDED" || totalErrors > 0)
      throw new Error(`a job ended ${status} with ${totalErrors} errors`);
  });
  if (answered) for (const { key, after } of afterwards) states.known(key, after);
  return answered;
}
