import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { EngineJobs } from "../../src/services/job-service.ts";
import { type Damage, damage } from "../faults/rot.ts";
import { jobsOf } from "./engine-services.ts";
import { EngineStore, keyOf, type StoreDrivers, TEST_ADMIN } from "./engine-store.ts";

/** More than there ever are. */
const ALL = { before: null, limit: 100_000, backward: false } as const;

/** For tests and proofs: a real store whose files somebody harms, and what goes through it. */
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

  /** With an artifact of each of these contents, by their names. */
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

  /** Each content under its name, settled and published. */
  async write(contents: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const write = ([name, bytes]: readonly [string, Uint8Array]) =>
      this.store.write(keyOf(name), bytes, { metadata: { name } });
    await Promise.all(Array.from(contents, write));
    await this.drain();
  }

  view(name: string): string {
    return join(this.store.root, "hot", "acme", "nightly", name);
  }

  async object(name: string): Promise<string> {
    return this.store.objectPath((await this.store.row(keyOf(name))).object);
  }

  async harm(name: string, kind: Damage["kind"], other = name): Promise<void> {
    const how = { kind, through: "object", at: 0.5, much: 0.5 } as const;
    damage(await this.object(name), how, await this.object(other));
  }

  inQuarantine(name: string): string {
    return join(this.store.root, ".tierkeep", "quarantine", name);
  }

  /** A repair to its end, published. */
  async repair() {
    const job = await this.jobs.verify(TEST_ADMIN, { repair: true, waitSeconds: 60 });
    assert.equal(job.status, "SUCCEEDED", `The repair ended as ${job.status}: ${job.error}.`);
    await this.drain();
    const page = await this.store.catalog.listFindings(job.id, { ...ALL, after: null });
    return { job, findings: page.map(({ kind, path }) => `${kind} ${path}`).sort() };
  }

  /** @throws Refused CHECKSUM_MISMATCH where it is damaged */
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

  /**
   * Every content that a file holds, but for the catalog and the sidecars of artifacts, which are made from their rows:
   * those of the store's own and `more`.
   */
  contents(more: readonly string[] = []): ReadonlySet<string> {
    const { root } = this.store;
    const sidecars = new Set([...this.names, ...more].map((name) => `${name}.metadata.json`));
    const found = new Set<string>();
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || dirname(path) === join(root, ".tierkeep") || sidecars.has(entry.name)) continue;
      found.add(createHash("sha256").update(readFileSync(path)).digest("hex"));
    }
    return found;
  }

  /** Until everything is settled and published. */
  async drain(): Promise<void> {
    assert(await this.store.engine.drain(), `The store does not come to rest: ${this.store.problems}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.jobs.stop();
    await this.store[Symbol.asyncDispose]();
  }
}
