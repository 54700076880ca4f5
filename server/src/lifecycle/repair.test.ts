import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { whole } from "../catalog/contract/sample-changes.ts";
import { type Damage, damage, replaceFile } from "../engine/faults/rot.ts";
import { keyOf, OpenedStore, SOMEBODY } from "../engine/opened-store.ts";
import { EngineJobs } from "./job-service.ts";

const POLICY = { hotDays: 7, warmDays: 30, coldDays: 90 };
const NAMES = Array.from({ length: 20 }, (_, index) => `a${index}`);

class DamagedStore implements AsyncDisposable {
  readonly store: OpenedStore;
  readonly jobs: EngineJobs;

  private constructor(store: OpenedStore) {
    this.store = store;
    const onProblem = (message: string, error?: unknown) => store.problems.push(`${message}: ${error}`);
    this.jobs = new EngineJobs({ engine: store.engine, policy: POLICY, allowAsOf: false, onProblem });
  }

  static async open(): Promise<DamagedStore> {
    const store = await OpenedStore.open();
    for (const [index, name] of NAMES.entries())
      await store.write(keyOf(name), Buffer.alloc(20 + index, `${name}.`), { metadata: { name } });
    expect(await store.engine.drain()).toBe(true);
    return new DamagedStore(store);
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
    const job = await this.jobs.verify(SOMEBODY, { repair: true, waitSeconds: 60 });
    expect(job.status).toBe("SUCCEEDED");
    expect(await this.store.engine.drain()).toBe(true);
    const page = await this.store.catalog.listFindings(job.id, whole());
    return { job, findings: page.map(({ kind, path }) => `${kind} ${path}`).sort() };
  }

  async text(name: string): Promise<string> {
    const content = await this.store.engine.artifacts.open(SOMEBODY, keyOf(name));
    const chunks: Uint8Array[] = [];
    for await (const chunk of content?.body ?? []) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  async eventsAfter(seq: number): Promise<readonly string[]> {
    const events = await this.store.catalog.listEvents({}, "ASC", { ...whole(), after: seq });
    return events
      .filter(({ type }) => !type.startsWith("LIFECYCLE_JOB"))
      .map(({ type, artifactId, fromTier }) => [type, artifactId, fromTier].filter(Boolean).join(" "))
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.jobs.stop();
    await this.store[Symbol.asyncDispose]();
  }
}

/** Every content that a file holds, but for the sidecars of artifacts, which are made from their rows, and the catalog. */
function contents(root: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || dirname(path) === join(root, ".tierkeep")) continue;
    if ([...NAMES, "known"].some((name) => entry.name === `${name}.metadata.json`)) continue;
    found.add(createHash("sha256").update(readFileSync(path)).digest("hex"));
  }
  return found;
}

const write = (path: string, text: string) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

describe("a repair", () => {
  it("heals what has its bytes somewhere, marks the rest, moves strays aside, and deletes nothing", async () => {
    await using world = await DamagedStore.open();
    const { store } = world;
    const before = new Map<string, string>();
    for (const name of NAMES) before.set(name, await world.text(name));

    // Can be healed: from quarantine, from the tree, from one another, from an object that nothing names.
    copyFileSync(world.view("a0"), world.inQuarantine("somebody-put-it-here"));
    await world.harm("a0", "flip");
    await world.harm("a1", "lose");
    await world.harm("a2", "swap", "a3");
    const renamed = store.objectPath(`0${"e".repeat(31)}`);
    mkdirSync(dirname(renamed), { recursive: true });
    renameSync(await world.object("a4"), renamed);
    rmSync(world.view("a4"));
    // Cannot.
    await world.harm("a5", "zero");
    await world.harm("a6", "lose");
    rmSync(world.view("a6"));
    // Strays.
    write(store.objectPath("f".repeat(32)), "nobody's");
    copyFileSync(world.view("a7"), world.view("known"));
    copyFileSync(`${world.view("a7")}.metadata.json`, `${world.view("known")}.metadata.json`);
    write(world.view("unknown"), "without a sidecar");
    write(world.view("other"), "with the sidecar of other bytes");
    copyFileSync(`${world.view("a8")}.metadata.json`, `${world.view("other")}.metadata.json`);
    // In the tree alone.
    replaceFile(world.view("a10"));
    rmSync(world.view("a11"));
    write(join(store.root, "cold", "acme", "nightly", "a12"), "a stranger's, in another tier");

    const bytesBefore = contents(store.root);
    const seq = await store.catalog.lastSeq();
    const { job, findings } = await world.repair();
    expect(job).toMatchObject({
      checkedCount: NAMES.length,
      damagedCount: 4,
      missingCount: 3,
      healedCount: 5,
      quarantinedCount: 4,
      adoptedCount: 1,
    });
    const kinds = (kind: string) =>
      findings
        .filter((finding) => finding.startsWith(`${kind} `))
        .map((finding) => finding.split("/").at(-1));
    expect(kinds("HEALED")).toEqual(["a0", "a1", "a2", "a3", "a4"]);
    expect(kinds("ADOPTED")).toEqual(["known"]);
    expect(kinds("REPUBLISHED")).toEqual(["a12", "a10", "a11"]);
    expect(kinds("QUARANTINED")).toEqual([`0${"e".repeat(31)}`, "f".repeat(32), "other", "unknown"]);

    const damaged = new Set(["a5", "a6"]);
    for (const name of NAMES) {
      const { damagedAt, metadata } = await store.row(keyOf(name));
      expect([name, damagedAt !== null, metadata]).toEqual([name, damaged.has(name), { name }]);
      if (damaged.has(name)) {
        await expect(world.text(name)).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
      } else {
        expect([name, await world.text(name)]).toEqual([name, before.get(name)]);
        expect(readFileSync(world.view(name), "utf8")).toBe(before.get(name));
        expect(statSync(world.view(name)).ino).toBe(statSync(await world.object(name)).ino);
      }
    }
    expect(await world.text("known")).toBe(before.get("a7"));
    expect([...bytesBefore].filter((bytes) => !contents(store.root).has(bytes))).toEqual([]);

    const told = await world.eventsAfter(seq);
    const count = (type: string) => told.filter((event) => event.startsWith(type)).length;
    // Damage, then what differs in the tree: where an object is another one or gone, so does its place.
    for (const name of ["a0", "a1", "a2", "a3", "a4", "a5", "a6"])
      expect(told).toContain(`SCAN_ERROR ${name} HOT`);
    expect([count("ARTIFACT_HEALED"), count("STRAY_QUARANTINED"), count("ARTIFACT_ADOPTED")]).toEqual([
      5, 4, 1,
    ]);

    // Once more: it finds what it could not heal, and does nothing.
    const rows = await Promise.all(NAMES.map((name) => store.row(keyOf(name))));
    const [bytesAfter, seqAfter] = [contents(store.root), await store.catalog.lastSeq()];
    const again = await world.repair();
    expect(again.job).toMatchObject({
      damagedCount: 1,
      missingCount: 1,
      healedCount: 0,
      quarantinedCount: 0,
      adoptedCount: 0,
    });
    expect(again.findings.filter((finding) => !/\/a[56](\.metadata\.json)?$/.test(finding))).toEqual([]);
    expect(await Promise.all(NAMES.map((name) => store.row(keyOf(name))))).toEqual(rows);
    expect(contents(store.root)).toEqual(bytesAfter);
    expect(await world.eventsAfter(seqAfter)).toEqual([]);
  });

  it("is of the whole store", async () => {
    await using world = await DamagedStore.open();
    const asked = { repair: true, tenantId: "acme", waitSeconds: 0 };
    await expect(world.jobs.verify(SOMEBODY, asked)).rejects.toMatchObject({
      code: "BAD_USER_INPUT",
      facts: { argument: "tenantId" },
    });
  });
});
