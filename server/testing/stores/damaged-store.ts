import assert from "node:assert/strict";
import { join } from "node:path";
import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { EngineJobs } from "../../src/services/job-service.ts";
import { jobsOf } from "./engine-services.ts";
import { EngineStore, keyOf, type StoreDrivers, TEST_ADMIN } from "./engine-store.ts";
import { type Damage, damageFile } from "./file-damage.ts";
import { contentsOf } from "./stored-contents.ts";

/** A page that holds everything. */
const ALL = { before: null, limit: 100_000, backward: false } as const;

/** For tests and proofs: a real store whose files can be damaged behind its back, with its job service. */
export class DamagedStore implements AsyncDisposable {
  readonly store: EngineStore;
  readonly jobs: EngineJobs;
  readonly names: readonly string[];

  private constructor(store: EngineStore, names: readonly string[]) {
    this.store = store;
    this.names = names;
    const onProblem = (message: string, error?: unknown) => store.problems.push(`${message}: ${error}`);
    this.jobs = jobsOf(store.engine, { onProblem });
  }

  /** Opens a store with one artifact per entry of `contents`, named by its key. */
  static async open(
    contents: ReadonlyMap<string, Uint8Array>,
    root?: string,
    drivers?: StoreDrivers,
  ): Promise<DamagedStore> {
    const store = await EngineStore.open({}, root, drivers);
    const world = new DamagedStore(store, [...contents.keys()]);
    try {
      await world.write(contents);
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Writes each content under its name, then settles and publishes it. */
  async write(contents: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const write = ([name, bytes]: readonly [string, Uint8Array]) =>
      this.store.write(keyOf(name), bytes, { metadata: { name } });
    await Promise.all(Array.from(contents, write));
    await this.drain();
  }

  /** Returns the path of the artifact in the view. */
  view(name: string): string {
    return join(this.store.root, "hot", "acme", "nightly", name);
  }

  /** Returns the path of the artifact's object. */
  async object(name: string): Promise<string> {
    return this.store.objectPath((await this.store.row(keyOf(name))).object);
  }

  /** Damages the object of an artifact. `other`: the artifact of a swap. */
  async damage(name: string, kind: Damage["kind"], other = name): Promise<void> {
    damageFile(await this.object(name), { kind, other: await this.object(other) });
  }

  inQuarantine(name: string): string {
    return join(this.store.root, ".tierkeep", "quarantine", name);
  }

  /** Runs a repair to its end and publishes. Returns the job and its findings as "KIND PATH". */
  async repair() {
    const job = await this.jobs.verify(TEST_ADMIN, { repair: true, waitSeconds: 60 });
    assert.equal(job.status, "SUCCEEDED", `The repair ended as ${job.status}: ${job.error}.`);
    await this.drain();
    const page = await this.store.catalog.listFindings(job.id, { ...ALL, after: null });
    return { job, findings: page.map(({ kind, path }) => `${kind} ${path}`).sort() };
  }

  /** @throws Refused CHECKSUM_MISMATCH if the artifact is damaged */
  async read(name: string): Promise<Buffer> {
    const content = await this.store.engine.artifacts.open(TEST_ADMIN, keyOf(name));
    const chunks: Uint8Array[] = [];
    for await (const chunk of content?.body ?? []) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  events(after: number): Promise<readonly LifecycleEvent[]> {
    return this.store.catalog.listEvents({}, "ASC", { ...ALL, after });
  }

  async eventsAfter(seq: number): Promise<readonly string[]> {
    const events = await this.events(seq);
    return events
      .filter(({ type }) => !type.startsWith("LIFECYCLE_JOB"))
      .map(({ type, artifactId, fromTier }) => [type, artifactId, fromTier].filter(Boolean).join(" "))
      .sort();
  }

  /** Hashes of the contents of all files, without the sidecars of the store's artifacts and of `more`, which are made from rows. */
  contents(more: readonly string[] = []): ReadonlySet<string> {
    const sidecars = new Set([...this.names, ...more].map((name) => `${name}.metadata.json`));
    return contentsOf(this.store.root, (name) => sidecars.has(name));
  }

  /** Resolves when everything is settled and published. */
  async drain(): Promise<void> {
    assert(await this.store.engine.drain(), `The background work fails: ${this.store.problems}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.jobs.stop();
    await this.store[Symbol.asyncDispose]();
  }
}
