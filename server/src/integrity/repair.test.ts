import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { JobService } from "@tierkeep/schema/services/jobs";
import { describe, expect, it } from "vitest";
import { whole } from "../../testing/catalog/sample-changes.ts";
import { DamagedStore } from "../../testing/stores/damaged-store.ts";
import { jobsOf } from "../../testing/stores/engine-services.ts";
import { EngineStore, keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";
import { replaceFile } from "../../testing/stores/file-damage.ts";

const NAMES = Array.from({ length: 20 }, (_, index) => `a${index}`);
const CONTENTS = new Map(NAMES.map((name, index) => [name, Buffer.alloc(20 + index, `${name}.`)]));

const write = (path: string, text: string) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

describe("a repair", () => {
  it("recovers content that exists elsewhere, marks the rest as damaged, quarantines unknown files, and deletes nothing", async () => {
    await using world = await DamagedStore.open(CONTENTS);
    const { store } = world;
    // Recoverable: from quarantine, from the view, from each other's objects, from an unknown object.
    copyFileSync(world.view("a0"), world.inQuarantine("copied-by-an-operator"));
    await world.damage("a0", "flip");
    rmSync(world.view("a0"));
    // Cannot be read, so the search continues in quarantine.
    symlinkSync("elsewhere", world.view("a0"));
    await world.damage("a1", "lose");
    await world.damage("a2", "swap", "a3");
    for (const name of ["a2", "a3"]) rmSync(world.view(name));
    const renamed = store.objectPath(`0${"e".repeat(31)}`);
    mkdirSync(dirname(renamed), { recursive: true });
    renameSync(await world.object("a4"), renamed);
    rmSync(world.view("a4"));
    // Not recoverable.
    await world.damage("a5", "zero");
    await world.damage("a6", "lose");
    rmSync(world.view("a6"));
    // Unknown objects and files.
    write(store.objectPath("f".repeat(32)), "unknown object");
    copyFileSync(world.view("a7"), world.view("known"));
    copyFileSync(`${world.view("a7")}.metadata.json`, `${world.view("known")}.metadata.json`);
    write(world.view("unknown"), "without a sidecar");
    write(world.view("other"), "with the sidecar of other bytes");
    copyFileSync(`${world.view("a8")}.metadata.json`, `${world.view("other")}.metadata.json`);
    // Differences only in the view.
    replaceFile(world.view("a10"));
    rmSync(world.view("a11"));
    write(join(store.root, "cold", "acme", "nightly", "a12"), "foreign file in another tier");

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

    const events = await world.eventsAfter(seq);
    const count = (type: string) => events.filter((event) => event.startsWith(type)).length;
    // Damage first, then differences in the view: a missing or swapped object also differs from its link.
    for (const name of ["a0", "a1", "a2", "a3", "a4", "a5", "a6"])
      expect(events).toContain(`SCAN_ERROR ${name} HOT`);
    expect([count("ARTIFACT_HEALED"), count("STRAY_QUARANTINED"), count("ARTIFACT_ADOPTED")]).toEqual([
      5, 4, 1,
    ]);

    // A second repair finds the unrecoverable artifacts again and changes nothing.
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

  it("corrects wrong usage counters that a verification reports; a verification of one tenant does not check them", async () => {
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
      "MISCOUNTED nightly The catalog's usage counters of acme/nightly are wrong (artifacts in WARM: 2 instead of 0). A repair (tierkeep doctor --repair) corrects them.",
      "MISCOUNTED null The catalog's usage counters of acme are wrong (workflows: 7 instead of 1). A repair (tierkeep doctor --repair) corrects them.",
      `MISCOUNTED null The catalog's usage counters of the whole store are wrong (bytes in HOT: 0 instead of ${bytes}). A repair (tierkeep doctor --repair) corrects them.`,
    ]);
    const seq = await catalog.lastSeq();
    const { job, findings } = await world.repair();
    expect([job.totalErrors, findings]).toEqual([0, Array(3).fill("RECOUNTED null")]);
    expect(await world.eventsAfter(seq)).toEqual(Array(3).fill("COUNTERS_RECOUNTED"));
    expect(await catalog.countWorkflows("acme")).toBe(1);
    expect((await catalog.held()).HOT.totalBytes).toBe(bytes);
    expect(await verify()).toEqual([]);
  });

  it("is rejected for a single tenant with BAD_USER_INPUT", async () => {
    await using world = await DamagedStore.open(CONTENTS);
    const options = { repair: true, tenantId: "acme", waitSeconds: 0 };
    await expect(world.jobs.verify(TEST_ADMIN, options)).rejects.toMatchObject({
      code: "BAD_USER_INPUT",
      facts: { argument: "tenantId" },
    });
  });
});

describe("a verification", () => {
  it("reports background work that is overdue by more than a day once, and not work that is done during the check", async () => {
    let mayCollect = false;
    await using store = await EngineStore.open({ mayCollect: () => mayCollect });
    const jobs = jobsOf(store.engine);
    for (const text of ["first", "second"]) {
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
      expect(finding?.message).toContain("(objects of earlier versions that are not collected yet: 1)");
    }
    const events = await store.catalog.listEvents({ types: ["SCAN_ERROR"] }, "ASC", {
      ...whole(),
      after: seq,
    });
    expect(events.map(({ error }) => error)).toEqual([
      expect.stringContaining("has been pending for more than a day"),
    ]);
    mayCollect = true;
    expect(await verified(jobs, store)).toEqual([]);
    await jobs.stop();
  });
});

/** Runs a verification and returns its findings. */
async function verified(jobs: JobService, { catalog }: EngineStore, tenantId?: string) {
  const job = await jobs.verify(TEST_ADMIN, { tenantId, waitSeconds: 60 });
  expect(job.status).toBe("SUCCEEDED");
  return catalog.listFindings(job.id, whole());
}
