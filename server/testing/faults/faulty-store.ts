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
import { answer, type Command, type Expected, takenUp } from "../crash-model/expected.ts";
import { breaches, leftovers, seenOf } from "../crash-model/inspect.ts";
import { bytesBy } from "../crash-model/random-bytes.ts";
import { SimulatedProcess, somebody } from "../crash-model/simulated-process.ts";
import { Violation } from "../crash-model/violation.ts";
import { drawing } from "../tiers/crash-loss.ts";
import { isUnknown, refusalOf, wrongRefusal, wrongStep } from "./answers.ts";
import { type Fault, FaultInjector, type Place } from "./fault-injector.ts";
import type { Given, Operation } from "./operations.ts";

export interface FaultyStoreOptions {
  /** Where it makes its folder. */
  readonly dir: string;
  /** Whether syncs reach the disk where they are not made to fail. */
  readonly durability: Durability;
}

/** What an operation went through. */
export interface InjectedFaults {
  /** Where calls failed. None: there were not so many. */
  readonly struck: ReadonlySet<Place>;
  /** How many there were that could have failed. */
  readonly calls: number;
}

/**
 * One life of one store, which is asked for the same again and again while its disk fails in another place each time.
 * It is never started anew: what one fault leaves behind, all later ones meet.
 */
export class FaultyStore {
  readonly #root: string;
  readonly #life: SimulatedProcess;
  readonly #trouble: FaultInjector;
  readonly #clock: { now: () => number };
  #now = Date.UTC(2026, 0, 1);
  /** How many were refused so far, as they must be. */
  refused = 0;
  /** How many of those were told that nobody can know whether it was done. */
  unknown = 0;
  /** What must be there. */
  #state: Expected = new Map();
  /** What stands in the tree that is not ours, as it would be taken up. */
  #strangers: Expected = new Map();

  private constructor(
    root: string,
    life: SimulatedProcess,
    trouble: FaultInjector,
    clock: { now: () => number },
  ) {
    this.#root = root;
    this.#life = life;
    this.#trouble = trouble;
    this.#clock = clock;
    clock.now = () => this.#now;
  }

  static async open({ dir, durability }: FaultyStoreOptions): Promise<FaultyStore> {
    const root = mkdtempSync(join(dir, "tierkeep-faults-"));
    const random = bytesBy(drawing({ seed: 0 }));
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
    if (life === null) throw new Error("did not begin");
    return new FaultyStore(root, life, trouble, clock);
  }

  async close(): Promise<void> {
    await this.#life.end("nothing");
    rmSync(this.#root, { recursive: true });
  }

  /** Asks for the operation while the fault is there, and looks at what must be true then and once it is gone. @throws Broken */
  async suffer(operation: Operation, fault: Fault): Promise<InjectedFaults> {
    try {
      const struck = await this.#suffer(operation, fault);
      return { struck, calls: this.#trouble.calls };
    } catch (error) {
      throw Violation.when(told(fault), error);
    }
  }

  async #suffer({ given, act }: Operation, fault: Fault): Promise<ReadonlySet<Place>> {
    for (const one of given) await this.#do(one);
    const seqBefore = await this.#life.engine.catalog.lastSeq();
    const struck =
      act.do === "take up"
        ? await this.#takeUp(fault)
        : act.do === "steps"
          ? await this.#batch(await act.plan(this.#life, this.#clock.now()), fault)
          : act.do === "read"
            ? await this.#read(act.key, fault)
            : act.do === "drain"
              ? await this.#drain(fault, seqBefore)
              : await this.#ask(act, fault, seqBefore);
    await this.#mend();
    return struck;
  }

  /** One command is done, or refused with the right code and without a trace; or nobody knows, and it is told so. */
  async #ask(command: Command, fault: Fault, seqBefore: number): Promise<ReadonlySet<Place>> {
    this.#now += 1;
    const { next } = answer(this.#state, command, this.#now);
    this.#trouble.arm(fault);
    const refused = await refusalOf(this.#life.attempt(command));
    const struck = this.#trouble.lift();
    const seen = await seenOf(this.#life);
    if (refused === null) Violation.unlessNone(disagreements(seen, next, next));
    else {
      this.#requireRightCode(refused, struck, fault);
      Violation.unlessNone(disagreements(seen, this.#state, isUnknown(refused) ? next : this.#state));
    }
    const changed = disagreements(seen, this.#state, this.#state).length > 0;
    // An event is written exactly when something happened.
    await this.#requireEvents(seqBefore, changed ? 1 : 0);
    this.#state = seen;
    return struck;
  }

  /** What follows from commits changes nothing that anybody sees, whatever fails. */
  async #drain(fault: Fault, seqBefore: number): Promise<ReadonlySet<Place>> {
    this.#trouble.arm(fault);
    await this.#life.engine.drain();
    const struck = this.#trouble.lift();
    Violation.unlessNone(disagreements(await seenOf(this.#life), this.#state, this.#state));
    await this.#requireEvents(seqBefore, 0);
    return struck;
  }

  /** Exactly the bytes, or a refusal; never damage. */
  async #read(key: ArtifactKey, fault: Fault): Promise<ReadonlySet<Place>> {
    const { artifacts } = this.#life.engine;
    const wanted = this.#state.get(keyText(key));
    const read = async () => {
      const artifact = await artifacts.get(somebody, key);
      const bytes = artifact && (await artifacts.bytes(somebody, artifact));
      const checksum = bytes && createHash("sha256").update(bytes).digest("hex");
      if (checksum !== wanted?.checksum)
        throw new Violation([`${keyText(key)} was read as ${checksum}, and is ${wanted?.checksum}`]);
    };
    this.#trouble.arm(fault);
    const refused = await refusalOf(read());
    const struck = this.#trouble.lift();
    if (refused !== null) this.#requireRightCode(refused, struck, fault);
    await read();
    return struck;
  }

  /** Each step of a batch is done or refused by itself. */
  async #batch(
    changes: readonly (LifecycleStepChange | RestoreItemChange)[],
    fault: Fault,
  ): Promise<ReadonlySet<Place>> {
    const { engine } = this.#life;
    const seqBefore = await engine.catalog.lastSeq();
    this.#trouble.arm(fault);
    // Where it cannot be asked whether anything may be purged, nothing is.
    const outcomes = await engine
      .takeSteps<LifecycleStepChange | RestoreItemChange>(changes)
      .catch((refused: Error) => changes.map(() => ({ ok: false as const, refused })));
    const struck = this.#trouble.lift();
    const seen = await seenOf(this.#life);
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

  /** Each file becomes an artifact or stays where it is; once the fault is gone, all of them become artifacts. */
  async #takeUp(fault: Fault): Promise<ReadonlySet<Place>> {
    const adopt = () => this.#life.attempt({ do: "adopt", found: this.#strangers });
    this.#trouble.arm(fault);
    const refused = await refusalOf(adopt());
    const struck = this.#trouble.lift();
    if (refused !== null) this.#requireRightCode(refused, struck, fault);
    const taken = await seenOf(this.#life);
    Violation.unlessNone(disagreements(taken, new Map(), this.#strangers));
    for (const [path, { tier }] of this.#strangers) {
      if (taken.has(path)) continue;
      const text = readFileSync(join(this.#root, tier.toLowerCase(), path), "utf8");
      if (text !== path) throw new Violation([`${path} was left in the tree with the content ${text}`]);
    }
    await this.#life.drain();
    await adopt();
    this.#state = this.#strangers;
    this.#strangers = new Map();
    await this.#confirm();
    return struck;
  }

  /** Nothing may be purged before. */
  async #confirm(): Promise<void> {
    const { catalog } = this.#life.engine;
    await this.#finishJobs();
    for (;;) {
      const jobId = await catalog.unconfirmedReindex();
      if (jobId === null) return;
      await catalog.commit({ kind: "confirmReindex", at: this.#now, actor: "model", jobId });
    }
  }

  async #finishJobs(): Promise<void> {
    const { catalog } = this.#life.engine;
    const ending = { status: "SUCCEEDED", errorCode: null, error: null, durationSeconds: 1 } as const;
    for (const { job } of await catalog.runningJobs())
      await catalog.commit({ kind: "finishJob", at: this.#now, actor: "model", jobId: job.id, ...ending });
  }

  #intrude(tier: Tier, key: ArtifactKey): void {
    const name = keyText(key);
    const path = join(this.#root, tier.toLowerCase(), name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, name);
    utimesSync(path, this.#now / 1000, this.#now / 1000);
    this.#strangers = new Map(this.#strangers).set(name, takenUp(name, tier, this.#now));
  }

  #requireRightCode(refused: Error, struck: ReadonlySet<Place>, fault: Fault): void {
    Violation.unlessNone(wrongRefusal(refused, struck, fault));
    this.refused += 1;
    if (isUnknown(refused)) this.unknown += 1;
  }

  async #requireEvents(seqBefore: number, count: number): Promise<void> {
    const events = (await this.#life.engine.catalog.lastSeq()) - seqBefore;
    if (events !== count) throw new Violation([`${events} events were written, and must be ${count}`]);
  }

  /** The cause is gone: without a restart everything that is left gets done, and the store is as good as ever. */
  async #mend(): Promise<void> {
    await this.#life.drain();
    Violation.unlessNone(disagreements(await seenOf(this.#life), this.#state, this.#state));
    Violation.unlessNone(await breaches(this.#life, this.#root));
    Violation.unlessNone(leftovers(this.#root));
    for (const path of this.#state.keys()) {
      const [tenantId = "", workflowId = "", artifactId = ""] = path.split("/");
      const key = { tenantId, workflowId, artifactId };
      await this.#life.engine.artifacts.purge(somebody, { ...key, dryRun: false });
    }
    this.#state = new Map();
    await this.#life.drain();
  }

  async #do(act: Given): Promise<void> {
    this.#now += act.do === "wait" ? act.ms : 1;
    if (act.do === "wait") return;
    if (act.do === "intrude") return this.#intrude(act.tier, act.key);
    if (act.do === "drain") return this.#life.drain();
    this.#state = answer(this.#state, act, this.#now).next;
    const refused = await this.#life.take(act);
    if (refused !== null)
      throw new Violation([`${JSON.stringify(act)} was refused as ${refused} before any fault`]);
  }
}

function told({ code, nth, lasting }: Fault): string {
  if (nth === Number.POSITIVE_INFINITY) return "without a fault";
  return lasting ? `with ${code} from call ${nth} on` : `with ${code} at call ${nth}`;
}
