import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import { STEP_RULES } from "@tierkeep/schema/domain/policy";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { LifecycleStepChange, RestoreItemChange } from "../../src/catalog/job-changes.ts";
import type { Durability } from "../../src/catalog/sqlite/connection.ts";
import { CrashPoint } from "../crash-model/crash-point.ts";
import { disagreements } from "../crash-model/disagreements.ts";
import { adoptedArtifact, answer, type Command, type Expected } from "../crash-model/expected.ts";
import { breaches, leftovers, visibleState } from "../crash-model/inspect.ts";
import { seededBytes } from "../crash-model/random-bytes.ts";
import { modelAdmin, SimulatedProcess } from "../crash-model/simulated-process.ts";
import { Violation } from "../crash-model/violation.ts";
import { drawing } from "../tiers/crash-loss.ts";
import { isUnknown, refusalOf, wrongRefusal, wrongStep } from "./answers.ts";
import { type Fault, FaultInjector, type Place } from "./fault-injector.ts";
import type { Given, Operation } from "./operations.ts";

export interface FaultyStoreOptions {
  /** Folder in which the store's folder is created. */
  readonly dir: string;
  /** "fsync": syncs that do not fail reach the disk. */
  readonly durability: Durability;
}

/** Result of an operation with a fault. */
export interface InjectedFaults {
  /** Where calls failed; empty: there were fewer calls. */
  readonly struck: ReadonlySet<Place>;
  /** Number of calls that could have failed. */
  readonly calls: number;
}

/**
 * Runs operations on one simulated process while a call of its disk or catalog fails, another call each time. The process
 * is never restarted, so later operations meet what a fault left behind.
 */
export class FaultyStore {
  readonly #root: string;
  readonly #process: SimulatedProcess;
  readonly #faults: FaultInjector;
  readonly #clock: { now: () => number };
  #now = Date.UTC(2026, 0, 1);
  /** Number of correct refusals so far. */
  refused = 0;
  /** Number of those with an unknown outcome. */
  unknown = 0;
  /** The expected state. */
  #state: Expected = new Map();
  /** Foreign files of the tree, as adoption would make artifacts of them. */
  #foreignFiles: Expected = new Map();

  private constructor(
    root: string,
    life: SimulatedProcess,
    trouble: FaultInjector,
    clock: { now: () => number },
  ) {
    this.#root = root;
    this.#process = life;
    this.#faults = trouble;
    this.#clock = clock;
    clock.now = () => this.#now;
  }

  static async open({ dir, durability }: FaultyStoreOptions): Promise<FaultyStore> {
    const root = mkdtempSync(join(dir, "tierkeep-faults-"));
    const random = seededBytes(drawing({ seed: 0 }));
    const trouble = new FaultInjector();
    const clock = { now: () => 0 };
    const life = await SimulatedProcess.begin(root, {
      clock,
      crashPoint: new CrashPoint(),
      random,
      lose: "nothing",
      trouble,
      durability,
    });
    if (life === null) throw new Error("the process did not start");
    return new FaultyStore(root, life, trouble, clock);
  }

  async close(): Promise<void> {
    await this.#process.end("nothing");
    rmSync(this.#root, { recursive: true });
  }

  /** Runs the operation with the fault, and checks the store with the fault and after it. @throws Violation */
  async runWithFault(operation: Operation, fault: Fault): Promise<InjectedFaults> {
    try {
      const struck = await this.#runWithFault(operation, fault);
      return { struck, calls: this.#faults.calls };
    } catch (error) {
      throw Violation.when(described(fault), error);
    }
  }

  async #runWithFault({ given, act }: Operation, fault: Fault): Promise<ReadonlySet<Place>> {
    for (const one of given) await this.#do(one);
    const seqBefore = await this.#process.engine.catalog.lastSeq();
    const struck =
      act.do === "adopt tree"
        ? await this.#adoptTree(fault)
        : act.do === "steps"
          ? await this.#batch(await act.plan(this.#process, this.#clock.now()), fault)
          : act.do === "read"
            ? await this.#read(act.key, fault)
            : act.do === "drain"
              ? await this.#drain(fault, seqBefore)
              : await this.#ask(act, fault, seqBefore);
    await this.#recoverAndEmpty();
    return struck;
  }

  /** The command is done, or it is refused with the right code and changes nothing, or its outcome is unknown and reported so. */
  async #ask(command: Command, fault: Fault, seqBefore: number): Promise<ReadonlySet<Place>> {
    this.#now += 1;
    const { next } = answer(this.#state, command, this.#now);
    this.#faults.arm(fault);
    const refused = await refusalOf(this.#process.attempt(command));
    const struck = this.#faults.lift();
    const seen = await visibleState(this.#process);
    if (refused === null) Violation.unlessNone(disagreements(seen, next, next));
    else {
      this.#requireRightCode(refused, struck, fault);
      Violation.unlessNone(disagreements(seen, this.#state, isUnknown(refused) ? next : this.#state));
    }
    const changed = disagreements(seen, this.#state, this.#state).length > 0;
    // Each change writes exactly one event.
    await this.#requireEvents(seqBefore, changed ? 1 : 0);
    this.#state = seen;
    return struck;
  }

  /** Upkeep with a fault changes nothing that a client sees. */
  async #drain(fault: Fault, seqBefore: number): Promise<ReadonlySet<Place>> {
    this.#faults.arm(fault);
    await this.#process.engine.drain();
    const struck = this.#faults.lift();
    Violation.unlessNone(disagreements(await visibleState(this.#process), this.#state, this.#state));
    await this.#requireEvents(seqBefore, 0);
    return struck;
  }

  /** A read returns the right bytes or a refusal. */
  async #read(key: ArtifactKey, fault: Fault): Promise<ReadonlySet<Place>> {
    const { artifacts } = this.#process.engine;
    const wanted = this.#state.get(keyText(key));
    const read = async () => {
      const artifact = await artifacts.get(modelAdmin, key);
      const bytes = artifact && (await artifacts.bytes(modelAdmin, artifact));
      const checksum = bytes && createHash("sha256").update(bytes).digest("hex");
      if (checksum !== wanted?.checksum)
        throw new Violation([`${keyText(key)} was read as ${checksum}, expected ${wanted?.checksum}`]);
    };
    this.#faults.arm(fault);
    const refused = await refusalOf(read());
    const struck = this.#faults.lift();
    if (refused !== null) this.#requireRightCode(refused, struck, fault);
    await read();
    return struck;
  }

  /** Each step of a batch is done or refused on its own. */
  async #batch(
    changes: readonly (LifecycleStepChange | RestoreItemChange)[],
    fault: Fault,
  ): Promise<ReadonlySet<Place>> {
    const { engine } = this.#process;
    const seqBefore = await engine.catalog.lastSeq();
    this.#faults.arm(fault);
    // If the purge gate cannot be read, the whole batch is refused.
    const outcomes = await engine
      .takeSteps<LifecycleStepChange | RestoreItemChange>(changes)
      .catch((refused: Error) => changes.map(() => ({ ok: false as const, refused })));
    const struck = this.#faults.lift();
    const seen = await visibleState(this.#process);
    let events = 0;
    for (const [index, change] of changes.entries()) {
      const path = keyText(change.key);
      const before = this.#state.get(path);
      const toTier = change.kind === "restoreItem" ? change.toTier : STEP_RULES[change.step].to;
      const outcome = outcomes[index];
      const { refused } = outcome?.ok === false ? outcome : { refused: null };
      if (refused !== null) this.#requireRightCode(refused, struck, fault);
      const isAs = seen.get(path);
      Violation.unlessNone(wrongStep(path, before, isAs, toTier, refused));
      if (isAs?.tier !== before?.tier) events += 1;
    }
    await this.#requireEvents(seqBefore, events);
    this.#state = seen;
    await this.#finishJobs();
    return struck;
  }

  /** Each foreign file is adopted or stays unchanged. Without the fault all of them are adopted. */
  async #adoptTree(fault: Fault): Promise<ReadonlySet<Place>> {
    const adopt = () => this.#process.attempt({ do: "adopt", found: this.#foreignFiles });
    this.#faults.arm(fault);
    const refused = await refusalOf(adopt());
    const struck = this.#faults.lift();
    if (refused !== null) this.#requireRightCode(refused, struck, fault);
    const taken = await visibleState(this.#process);
    Violation.unlessNone(disagreements(taken, new Map(), this.#foreignFiles));
    for (const [path, { tier }] of this.#foreignFiles) {
      if (taken.has(path)) continue;
      const text = readFileSync(join(this.#root, tier.toLowerCase(), path), "utf8");
      if (text !== path) throw new Violation([`${path} was left in the tree with the content ${text}`]);
    }
    await this.#process.drain();
    await adopt();
    this.#state = this.#foreignFiles;
    this.#foreignFiles = new Map();
    await this.#confirm();
    return struck;
  }

  /** Confirms the reindex, which otherwise forbids purges. */
  async #confirm(): Promise<void> {
    const { catalog } = this.#process.engine;
    await this.#finishJobs();
    for (;;) {
      const jobId = await catalog.unconfirmedReindex();
      if (jobId === null) return;
      await catalog.commit({ kind: "confirmReindex", at: this.#now, actor: "model", jobId });
    }
  }

  async #finishJobs(): Promise<void> {
    const { catalog } = this.#process.engine;
    const ending = { status: "SUCCEEDED", errorCode: null, error: null, durationSeconds: 1 } as const;
    for (const { job } of await catalog.runningJobs())
      await catalog.commit({ kind: "finishJob", at: this.#now, actor: "model", jobId: job.id, ...ending });
  }

  #addForeignFile(tier: Tier, key: ArtifactKey): void {
    const name = keyText(key);
    const path = join(this.#root, tier.toLowerCase(), name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, name);
    utimesSync(path, this.#now / 1000, this.#now / 1000);
    this.#foreignFiles = new Map(this.#foreignFiles).set(name, adoptedArtifact(name, tier, this.#now));
  }

  #requireRightCode(refused: Error, struck: ReadonlySet<Place>, fault: Fault): void {
    Violation.unlessNone(wrongRefusal(refused, struck, fault));
    this.refused += 1;
    if (isUnknown(refused)) this.unknown += 1;
  }

  async #requireEvents(seqBefore: number, count: number): Promise<void> {
    const events = (await this.#process.engine.catalog.lastSeq()) - seqBefore;
    if (events !== count) throw new Violation([`${events} events were written, expected ${count}`]);
  }

  /** Without the fault, upkeep completes everything without a restart, and all invariants hold. Empties the store. */
  async #recoverAndEmpty(): Promise<void> {
    await this.#process.drain();
    Violation.unlessNone(disagreements(await visibleState(this.#process), this.#state, this.#state));
    Violation.unlessNone(await breaches(this.#process, this.#root));
    Violation.unlessNone(leftovers(this.#root));
    for (const path of this.#state.keys()) {
      const [tenantId = "", workflowId = "", artifactId = ""] = path.split("/");
      const key = { tenantId, workflowId, artifactId };
      await this.#process.engine.artifacts.purge(modelAdmin, { ...key, dryRun: false });
    }
    this.#state = new Map();
    await this.#process.drain();
  }

  async #do(act: Given): Promise<void> {
    this.#now += act.do === "wait" ? act.ms : 1;
    if (act.do === "wait") return;
    if (act.do === "intrude") return this.#addForeignFile(act.tier, act.key);
    if (act.do === "drain") return this.#process.drain();
    this.#state = answer(this.#state, act, this.#now).next;
    const refused = await this.#process.take(act);
    if (refused !== null)
      throw new Violation([`${JSON.stringify(act)} was refused as ${refused} before any fault`]);
  }
}

function described({ code, nth, lasting }: Fault): string {
  if (nth === Number.POSITIVE_INFINITY) return "without a fault";
  return lasting ? `with ${code} from call ${nth} on` : `with ${code} at call ${nth}`;
}
