import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import { STEP_RULES } from "@tierkeep/schema/domain/policy";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { RunBatchChange } from "../../src/catalog/job-changes.ts";
import type { Durability } from "../../src/catalog/sqlite/connection.ts";
import { CrashPoint } from "../crash-model/crash-point.ts";
import { disagreements } from "../crash-model/disagreements.ts";
import { adoptedArtifact, type Command, type Expected, expectedOutcome } from "../crash-model/expected.ts";
import { artifactsOf, leftovers, violationsIn } from "../crash-model/inspect.ts";
import { bytesBy } from "../crash-model/random-bytes.ts";
import { MODEL_ADMIN, SimulatedProcess } from "../crash-model/simulated-process.ts";
import { Violation } from "../crash-model/violation.ts";
import { drawing } from "../tiers/crash-loss.ts";
import { isUnknown, refusalOf, wrongRefusal, wrongStep } from "./answers.ts";
import { type Fault, FaultInjector, type Place } from "./fault-injector.ts";
import type { Given, Operation } from "./operations.ts";

export interface FaultyStoreOptions {
  /** The folder in which the store's folder is created. */
  readonly dir: string;
  /** Whether syncs that do not fail reach the disk. */
  readonly durability: Durability;
}

/** The faults of an operation. */
export interface InjectedFaults {
  /** Where calls failed. Empty if the operation made fewer calls. */
  readonly failed: ReadonlySet<Place>;
  /** The number of calls that could have failed. */
  readonly calls: number;
}

/**
 * A store on which operations run repeatedly, with another failing call each time. It is never restarted, so that each
 * fault meets what the earlier ones left.
 */
export class FaultyStore {
  readonly #root: string;
  readonly #simulated: SimulatedProcess;
  readonly #injector: FaultInjector;
  readonly #clock: { now: () => number };
  #now = Date.UTC(2026, 0, 1);
  /** The number of correct refusals so far. */
  refused = 0;
  /** The number of those with an unknown outcome. */
  unknown = 0;
  /** The expected artifacts. */
  #state: Expected = new Map();
  /** The artifacts that adoption makes of the foreign files in the tree. */
  #foreignFiles: Expected = new Map();

  private constructor(
    root: string,
    simulated: SimulatedProcess,
    injector: FaultInjector,
    clock: { now: () => number },
  ) {
    this.#root = root;
    this.#simulated = simulated;
    this.#injector = injector;
    this.#clock = clock;
    clock.now = () => this.#now;
  }

  static async open({ dir, durability }: FaultyStoreOptions): Promise<FaultyStore> {
    const root = mkdtempSync(join(dir, "tierkeep-faults-"));
    const random = bytesBy(drawing({ seed: 0 }));
    const injector = new FaultInjector();
    const clock = { now: () => 0 };
    const simulated = await SimulatedProcess.begin(root, {
      clock,
      crashPoint: new CrashPoint(),
      random,
      lose: "nothing",
      injector,
      durability,
    });
    if (simulated === null) throw new Error("The process did not start.");
    return new FaultyStore(root, simulated, injector, clock);
  }

  async close(): Promise<void> {
    await this.#simulated.end("nothing");
    rmSync(this.#root, { recursive: true });
  }

  /** Runs an operation with a fault, and checks the store during the fault and after it. @throws Violation */
  async run(operation: Operation, fault: Fault): Promise<InjectedFaults> {
    try {
      const failed = await this.#run(operation, fault);
      return { failed, calls: this.#injector.calls };
    } catch (error) {
      throw Violation.when(shown(fault), error);
    }
  }

  async #run({ given, act }: Operation, fault: Fault): Promise<ReadonlySet<Place>> {
    for (const one of given) await this.#do(one);
    const seqBefore = await this.#simulated.engine.catalog.lastSeq();
    const failed =
      act.do === "adopt files"
        ? await this.#adopt(fault)
        : act.do === "batch"
          ? await this.#batch(await act.plan(this.#simulated, this.#clock.now()), fault)
          : act.do === "read"
            ? await this.#read(act.key, fault)
            : act.do === "drain"
              ? await this.#drain(fault, seqBefore)
              : await this.#ask(act, fault, seqBefore);
    await this.#checkRecovery();
    return failed;
  }

  /** Runs a command. It must be done, or be refused with the right code and without effect, or report an unknown outcome. */
  async #ask(command: Command, fault: Fault, seqBefore: number): Promise<ReadonlySet<Place>> {
    this.#now += 1;
    const { next } = expectedOutcome(this.#state, command, this.#now);
    this.#injector.arm(fault);
    const refused = await refusalOf(this.#simulated.attempt(command));
    const failed = this.#injector.lift();
    const seen = await artifactsOf(this.#simulated);
    if (refused === null) Violation.unlessNone(disagreements(seen, next, next));
    else {
      this.#requireRightCode(refused, failed, fault);
      Violation.unlessNone(disagreements(seen, this.#state, isUnknown(refused) ? next : this.#state));
    }
    const changed = disagreements(seen, this.#state, this.#state).length > 0;
    // There is an event exactly if something changed.
    await this.#requireEvents(seqBefore, changed ? 1 : 0);
    this.#state = seen;
    return failed;
  }

  /** Drains. It must not change any artifact, whichever call fails. */
  async #drain(fault: Fault, seqBefore: number): Promise<ReadonlySet<Place>> {
    this.#injector.arm(fault);
    await this.#simulated.engine.drain();
    const failed = this.#injector.lift();
    Violation.unlessNone(disagreements(await artifactsOf(this.#simulated), this.#state, this.#state));
    await this.#requireEvents(seqBefore, 0);
    return failed;
  }

  /** Reads an artifact. It must return the right bytes or be refused, and never report damage. */
  async #read(key: ArtifactKey, fault: Fault): Promise<ReadonlySet<Place>> {
    const { artifacts } = this.#simulated.engine;
    const wanted = this.#state.get(keyText(key));
    const read = async () => {
      const artifact = await artifacts.get(MODEL_ADMIN, key);
      const bytes = artifact && (await artifacts.bytes(MODEL_ADMIN, artifact));
      const checksum = bytes && createHash("sha256").update(bytes).digest("hex");
      if (checksum !== wanted?.checksum)
        throw new Violation([`${keyText(key)} was read as ${checksum}, but is ${wanted?.checksum}`]);
    };
    this.#injector.arm(fault);
    const refused = await refusalOf(read());
    const failed = this.#injector.lift();
    if (refused !== null) this.#requireRightCode(refused, failed, fault);
    await read();
    return failed;
  }

  /** Runs a batch, which must be done for all of its items, or be refused for all of them. */
  async #batch(batch: RunBatchChange, fault: Fault): Promise<ReadonlySet<Place>> {
    const { engine } = this.#simulated;
    const seqBefore = await engine.catalog.lastSeq();
    this.#injector.arm(fault);
    const refused = await refusalOf(engine.runBatch(batch).then(() => {}));
    const failed = this.#injector.lift();
    if (refused !== null) this.#requireRightCode(refused, failed, fault);
    const seen = await artifactsOf(this.#simulated);
    const toTier = batch.step === "RESTORE" ? "HOT" : STEP_RULES[batch.step].to;
    let moved = 0;
    for (const item of batch.items) {
      const path = keyText(item);
      const before = this.#state.get(path);
      const isAs = seen.get(path);
      Violation.unlessNone(wrongStep(path, before, isAs, toTier, refused));
      if (isAs?.tier !== before?.tier) moved += 1;
    }
    if (moved > 0 && moved < batch.items.length)
      throw new Violation([`${moved} of ${batch.items.length} items of a batch were done`]);
    await this.#requireEvents(seqBefore, moved);
    this.#state = seen;
    await this.#finishJobs();
    return failed;
  }

  /** Adopts foreign files. Each must become an artifact or stay in place, and all must become artifacts after the fault. */
  async #adopt(fault: Fault): Promise<ReadonlySet<Place>> {
    const adopt = () => this.#simulated.attempt({ do: "adopt", found: this.#foreignFiles });
    this.#injector.arm(fault);
    const refused = await refusalOf(adopt());
    const failed = this.#injector.lift();
    if (refused !== null) this.#requireRightCode(refused, failed, fault);
    const taken = await artifactsOf(this.#simulated);
    Violation.unlessNone(disagreements(taken, new Map(), this.#foreignFiles));
    for (const [path, { tier }] of this.#foreignFiles) {
      if (taken.has(path)) continue;
      const text = readFileSync(join(this.#root, tier.toLowerCase(), path), "utf8");
      if (text !== path) throw new Violation([`${path} was left in the tree with the content ${text}`]);
    }
    await this.#simulated.drain();
    await adopt();
    this.#state = this.#foreignFiles;
    this.#foreignFiles = new Map();
    await this.#confirm();
    return failed;
  }

  /** Confirms reindex jobs, because purges are refused before that. */
  async #confirm(): Promise<void> {
    const { catalog } = this.#simulated.engine;
    await this.#finishJobs();
    for (;;) {
      const jobId = await catalog.unconfirmedReindex();
      if (jobId === null) return;
      await catalog.commit({ kind: "confirmReindex", at: this.#now, actor: "model", jobId });
    }
  }

  async #finishJobs(): Promise<void> {
    const { catalog } = this.#simulated.engine;
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

  #requireRightCode(refused: Error, failed: ReadonlySet<Place>, fault: Fault): void {
    Violation.unlessNone(wrongRefusal(refused, failed, fault));
    this.refused += 1;
    if (isUnknown(refused)) this.unknown += 1;
  }

  async #requireEvents(seqBefore: number, count: number): Promise<void> {
    const events = (await this.#simulated.engine.catalog.lastSeq()) - seqBefore;
    if (events !== count) throw new Violation([`${events} events were written, but must be ${count}`]);
  }

  /** Checks that after the fault the remaining work is done without a restart. Then empties the store. */
  async #checkRecovery(): Promise<void> {
    await this.#simulated.drain();
    Violation.unlessNone(disagreements(await artifactsOf(this.#simulated), this.#state, this.#state));
    Violation.unlessNone(await violationsIn(this.#simulated, this.#root));
    Violation.unlessNone(leftovers(this.#root));
    for (const path of this.#state.keys()) {
      const [tenantId = "", workflowId = "", ...segments] = path.split("/");
      const key = { tenantId, workflowId, artifactId: segments.join("/") };
      await this.#simulated.engine.artifacts.purge(MODEL_ADMIN, { ...key, dryRun: false });
    }
    this.#state = new Map();
    await this.#simulated.drain();
  }

  async #do(act: Given): Promise<void> {
    this.#now += act.do === "wait" ? act.ms : 1;
    if (act.do === "wait") return;
    if (act.do === "add foreign file") return this.#addForeignFile(act.tier, act.key);
    if (act.do === "drain") return this.#simulated.drain();
    this.#state = expectedOutcome(this.#state, act, this.#now).next;
    const refused = await this.#simulated.take(act);
    if (refused !== null)
      throw new Violation([`${JSON.stringify(act)} was refused as ${refused} without a fault`]);
  }
}

function shown({ code, nth, lasting }: Fault): string {
  if (nth === Number.POSITIVE_INFINITY) return "without a fault";
  return lasting ? `with ${code} from call ${nth} on` : `with ${code} at call ${nth}`;
}
