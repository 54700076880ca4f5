import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { Artifact, LifecycleJob, Tierkeep } from "@tierkeep/sdk";
import type { Output } from "../../../output/output.ts";
import { counted, formatAge, formatBytes, formatDays, formatInstant } from "../../../output/quantity.ts";
import type { DemoClock } from "./clock.ts";
import { DemoFailure, DemoLibrary } from "./library.ts";

export interface DemoOptions {
  readonly tenant: string;
  readonly count: number;
  /** Advances the store's clock, so that artifacts become due. */
  readonly forceAge: boolean;
  /** After writing, only shows what would happen. */
  readonly dryRun: boolean;
}

/** Counts of what a demo has done. */
export interface DemoTally {
  written: number;
  restored: number;
  purged: number;
  /** Moves to a colder tier. */
  moved: number;
  /** Bytes that were read back and compared. */
  verifiedBytes: number;
}

/** The policy of the demo's store, in days. */
export const DEMO_POLICY = { hotDays: 7, warmDays: 30, coldDays: 90 } as const satisfies RetentionPolicy;

/** Ages in days just over each threshold. At the threshold itself, an artifact is not due yet. */
const AGES = [DEMO_POLICY.hotDays + 1, DEMO_POLICY.warmDays + 1, DEMO_POLICY.coldDays + 1] as const;

/** Returns how many days in the past the demo's clock starts. At the end of the demo it shows the present. */
export function daysToAdvance({ forceAge }: DemoOptions): number {
  return forceAge ? AGES[2] : 0;
}

type Moves = Pick<LifecycleJob, "promotedToWarm" | "promotedToCold" | "purged">;

const NO_MOVES: Moves = { promotedToWarm: 0, promotedToCold: 0, purged: 0 };

/** Selects about a tenth; none of a single one, which is purged later. */
const someOf = <T>(all: readonly T[]): readonly T[] => all.filter((_, index) => index % 10 === 1);

/** Moves documents from hot to purged, and verifies every byte at each stage. */
export class DemoStory {
  readonly tally: DemoTally = { written: 0, restored: 0, purged: 0, moved: 0, verifiedBytes: 0 };
  readonly #tierkeep: Tierkeep;
  readonly #clock: DemoClock;
  readonly #options: DemoOptions;
  readonly #output: Output;
  readonly #library: DemoLibrary;
  #stages = 0;

  constructor(tierkeep: Tierkeep, clock: DemoClock, options: DemoOptions, output: Output) {
    this.#tierkeep = tierkeep;
    this.#clock = clock;
    this.#options = options;
    this.#output = output;
    this.#library = new DemoLibrary(tierkeep, options.tenant);
  }

  /** @throws DemoFailure if a check fails; errors of the SDK */
  async run(): Promise<void> {
    const { count, tenant, forceAge, dryRun } = this.#options;
    await this.#stage(`write ${counted(count, "document")}`, async () => {
      const { bytes, streamed } = await this.#library.write(count);
      this.tally.written = count;
      const asStream = `${counted(streamed, "document")} as a stream`;
      this.#output.text(`${formatBytes(bytes)} written for tenant ${tenant}; ${asStream}`);
    });
    if (!forceAge) await this.#young();
    else if (dryRun) await this.#dry();
    else await this.#live();
  }

  async #young(): Promise<void> {
    const { dryRun } = this.#options;
    await this.#stage(dryRun ? "dry run of the lifecycle" : "run of the lifecycle", () =>
      dryRun ? this.#dryRun(NO_MOVES) : this.#run(NO_MOVES),
    );
    this.#output.text("");
    this.#output.text(
      `Nothing is due: the documents are seconds old, and hot keeps them ${formatDays(DEMO_POLICY.hotDays)}. ` +
        "Add --force-age to advance the store's clock instead of waiting.",
    );
  }

  async #dry(): Promise<void> {
    const { count } = this.#options;
    let age = 0;
    for (const next of AGES) {
      this.#clock.advance(next - age);
      age = next;
      await this.#stage(`${age} days after the write: what a run would do`, async () => {
        await this.#dryRun({ ...NO_MOVES, promotedToWarm: count });
        const untouched = await this.#library.inTier("HOT");
        if (untouched.length !== count) throw new DemoFailure("The dry run has moved something.");
      });
    }
    this.#output.text("");
    this.#output.text(
      "A run moves an artifact by one step at most. A dry run moves none, so all are still in hot. " +
        "Without --dry-run, they move through all tiers and are purged.",
    );
  }

  async #live(): Promise<void> {
    const { count } = this.#options;
    const [first, second, third] = AGES;
    this.#clock.advance(first);
    await this.#stage(`${first} days after the write: hot to warm`, () =>
      this.#run({ ...NO_MOVES, promotedToWarm: count }),
    );
    const early = await this.#restoreSomeOf(await this.#library.inTier("WARM"));

    this.#clock.advance(second - first);
    const untouched = count - early.length;
    await this.#stage(`${second} days after the write: warm to cold`, () =>
      this.#run({ ...NO_MOVES, promotedToWarm: early.length, promotedToCold: untouched }),
    );
    const late = await this.#restoreSomeOf(await this.#library.inTier("COLD"));

    this.#clock.advance(third - second);
    const due = await this.#library.inTier("COLD");
    await this.#stage(`${third} days after the write: artifacts that stayed cold are purged`, async () => {
      await this.#run({
        promotedToWarm: late.length,
        promotedToCold: early.length,
        purged: untouched - late.length,
      });
      this.#library.remove(due);
      for (const { tenantId, workflowId, artifactId } of due) {
        if ((await this.#tierkeep.artifact({ tenantId, workflowId, artifactId })) === null) continue;
        throw new DemoFailure(`${workflowId}/${artifactId} was purged but still exists.`);
      }
      this.#output.text(`${counted(due.length, "purged document")}: none exists any more`);
    });
  }

  /** Runs a stage, then shows the contents of the tiers and verifies every byte. */
  async #stage(title: string, act: () => Promise<void>): Promise<void> {
    const { style } = this.#output;
    this.#stages += 1;
    const now = formatInstant(new Date(this.#clock.now()).toISOString());
    this.#output.text("");
    this.#output.text(`${style.bold(`${this.#stages}. ${title}`)} ${style.dim(`(${now})`)}`);
    await act();
    const tiers = await this.#tierkeep.tierStats({ tenantId: this.#options.tenant });
    this.#output.table(
      [{ head: "  tier" }, { head: "artifacts", align: "right" }, { head: "size", align: "right" }],
      tiers.map(({ tier, artifactCount, totalBytes }) => [
        `  ${tier}`,
        String(artifactCount),
        formatBytes(totalBytes),
      ]),
    );
    const { bytes } = await this.#library.verify();
    this.tally.verifiedBytes += bytes;
    const all = counted(this.#library.size, "artifact");
    this.#output.text(style.green(`verified byte by byte: ${all}, ${formatBytes(bytes)}`));
  }

  /** Checks a dry run, then a live run, which must do what the dry run announced. */
  async #run(expected: Moves): Promise<void> {
    await this.#dryRun(expected);
    const job = await this.#lifecycle(false);
    const { promotedToWarm, promotedToCold, purged } = job;
    this.#output.text(`run: ${promotedToWarm} to warm, ${promotedToCold} to cold, ${purged} purged`);
    expectMoves(job, expected);
    this.tally.moved += promotedToWarm + promotedToCold;
    this.tally.purged += purged;
  }

  async #dryRun(expected: Moves): Promise<void> {
    const job = await this.#lifecycle(true);
    const { promotedToWarm, promotedToCold, purged } = job;
    this.#output.text(
      `dry run: ${promotedToWarm} would go to warm, ${promotedToCold} to cold, ${purged} would be purged`,
    );
    expectMoves(job, expected);
  }

  async #lifecycle(dryRun: boolean): Promise<LifecycleJob> {
    const { tenant } = this.#options;
    const begun = await this.#tierkeep.runLifecycle({ dryRun, tenantId: tenant, waitSeconds: 60 });
    const job = await begun.job.finished();
    if (job.status !== "SUCCEEDED" || job.totalErrors > 0) {
      const errors = counted(job.totalErrors, "error");
      throw new DemoFailure(`The lifecycle's run ended ${job.status} with ${errors}. ${job.error ?? ""}`);
    }
    return job;
  }

  async #restoreSomeOf(artifacts: readonly Artifact[]): Promise<readonly Artifact[]> {
    const some = someOf(artifacts);
    if (some.length === 0) return some;
    await this.#stage(`restore ${counted(some.length, "document")} to hot`, async () => {
      for (const { tenantId, workflowId, artifactId, ageDays, checksum } of some) {
        const key = { tenantId, workflowId, artifactId };
        const { artifact, fromTier } = await this.#tierkeep.restoreArtifact({ ...key, ifChecksum: checksum });
        const name = `${workflowId}/${artifactId}`;
        if (artifact.checksum !== checksum || artifact.tier !== "HOT") {
          throw new DemoFailure(`${name} changed when it was restored.`);
        }
        this.tally.restored += 1;
        this.#output.text(`${name}: ${fromTier} to HOT, ${formatAge(ageDays)} old; its age is reset`);
      }
    });
    return some;
  }
}

function expectMoves(job: LifecycleJob, expected: Moves): void {
  for (const what of ["promotedToWarm", "promotedToCold", "purged"] as const) {
    if (job[what] === expected[what]) continue;
    throw new DemoFailure(`The run's ${what} is ${job[what]}, but ${expected[what]} were due.`);
  }
}
