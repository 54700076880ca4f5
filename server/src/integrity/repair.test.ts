import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { JobService } from "@tierkeep/schema/services/jobs";
import { describe, expect, it } from "vitest";
import { whole } from "../../testing/catalog/sample-changes.ts";
import { replaceFile } from "../../testing/faults/rot.ts";
import { DamagedStore } from "../../testing/stores/damaged-store.ts";
import { jobsOf } from "../../testing/stores/engine-services.ts";
import { EngineStore, keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";

const _POLICY = { hotDays: 7, warmDays: 30, coldDays: 90 };
const NAMES = Array.from({ length: 20 }, (_, index) => `a${index}`);
const CONTENTS = new Map(NAMES.map((name, index) => [name, Buffer.alloc(20 + index, `${name}.`)]));

const write = (path: string, text: string) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

describe("a repair", () => {
  it("heals what has its bytes somewhere, marks the rest, moves strays aside, and deletes nothing", async () => {
    await using world = await DamagedStore.open(CONTENTS);
    const { store } = world;
    // Can be healed: from quarantine, from the tree, from one another, from an object that nothing names.
    copyFileSync(world.view("a0"), world.inQuarantine("somebody-put-it-here"));
    await world.harm("a0", "flip");
    rmSync(world.view("a0"));
    await world.harm("a1", "lose");
    await world.harm("a2", "swap", "a3");
    for (const name of ["a2", "a3"]) rmSync(world.view(name));
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

    const bytesBefore = world.contents(["known"]);
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
        await expect(world.read(name)).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
      } else {
        expect([name, await world.read(name)]).toEqual([name, CONTENTS.get(name)]);
        expect(readFileSync(world.view(name))).toEqual(CONTENTS.get(name));
        expect(statSync(world.view(name)).ino).toBe(statSync(await world.object(name)).ino);
      }
    }
    expect(await world.read("known")).toEqual(CONTENTS.get("a7"));
    expect([...bytesBefore].filter((bytes) => !world.contents(["known"]).has(bytes))).toEqual([]);

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
    const [bytesAfter, seqAfter] = [world.contents(["known"]), await store.catalog.lastSeq()];
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
    expect(world.contents(["known"])).toEqual(bytesAfter);
    expect(await world.eventsAfter(seqAfter)).toEqual([]);
  });

  it("counts anew what is counted wrongly, where a verification tells of it, and that of one tenant does not look", async () => {
    await using world = await DamagedStore.open(CONTENTS);
    const { catalog, root } = world.store;
    const db = new DatabaseSync(join(root, ".tierkeep", "catalog.db"));
    db.exec(
      "UPDATE workflow_held SET warm = warm + 2; UPDATE tenant SET workflows = 7; UPDATE total SET hot_bytes = 0",
    );
    db.close();
    const verify = async (tenantId?: string) =>
      (await verified(world.jobs, world.store, tenantId)).map(
        ({ kind, workflowId, message }) => `${kind} ${workflowId} ${message}`,
      );
    const bytes = [...CONTENTS.values()].reduce((sum, content) => sum + content.length, 0);
    expect(await verify("acme")).toEqual([]);
    expect(await verify()).toEqual([
      "MISCOUNTED nightly What the catalog counts of acme/nightly is wrong (artifacts in WARM: 2, and there are 0). A repair (tierkeep doctor --repair) counts it anew.",
      "MISCOUNTED null What the catalog counts of acme is wrong (workflows: 7, and there are 1). A repair (tierkeep doctor --repair) counts it anew.",
      `MISCOUNTED null What the catalog counts of the whole store is wrong (bytes in HOT: 0, and there are ${bytes}). A repair (tierkeep doctor --repair) counts it anew.`,
    ]);
    const seq = await catalog.lastSeq();
    const { job, findings } = await world.repair();
    expect([job.totalErrors, findings]).toEqual([0, Array(3).fill("RECOUNTED null")]);
    expect(await world.eventsAfter(seq)).toEqual(Array(3).fill("COUNTERS_RECOUNTED"));
    expect(await catalog.countWorkflows("acme")).toBe(1);
    expect((await catalog.held()).HOT.totalBytes).toBe(bytes);
    expect(await verify()).toEqual([]);
  });

  it("is of the whole store", async () => {
    await using world = await DamagedStore.open(CONTENTS);
    const asked = { repair: true, tenantId: "acme", waitSeconds: 0 };
    await expect(world.jobs.verify(TEST_ADMIN, asked)).rejects.toMatchObject({
      code: "BAD_USER_INPUT",
      facts: { argument: "tenantId" },
    });
  });
});

describe("a verification", () => {
  it("tells of work that has been left undone for more than a day, once, and not of what is done when it looks", async () => {
    let mayCollect = false;
    await using store = await EngineStore.open({ mayCollect: () => mayCollect });
    const jobs = jobsOf(store.engine);
    for (const text of ["first", "anew"]) {
      await store.write(keyOf("a"), Buffer.from(text));
      await store.engine.drain();
    }
    await store.write(keyOf("b"), Buffer.from("not settled"));
    store.now += DAY_MS;
    expect(await verified(jobs, store)).toEqual([]);
    store.now += 1;
    const seq = await store.catalog.lastSeq();
    for (let time = 0; time < 2; time++) {
      const [finding, ...more] = await verified(jobs, store);
      expect([finding?.kind, more]).toEqual(["OVERDUE", []]);
      expect(finding?.message).toContain("(objects of earlier versions that are still there: 1)");
    }
    const told = await store.catalog.listEvents({ types: ["SCAN_ERROR"] }, "ASC", { ...whole(), after: seq });
    expect(told.map(({ error }) => error)).toEqual([expect.stringContaining("left undone")]);
    mayCollect = true;
    expect(await verified(jobs, store)).toEqual([]);
    await jobs.stop();
  });
});

/** What a verification finds. */
async function verified(jobs: JobService, { catalog }: EngineStore, tenantId?: string) {
  const job = await jobs.verify(TEST_ADMIN, { tenantId, waitSeconds: 60 });
  expect(job.status).toBe("SUCCEEDED");
  return catalog.listFindings(job.id, whole());
}
