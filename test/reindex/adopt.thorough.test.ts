import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { untilPublished } from "../support/at-rest.ts";
import { daysAfter, refusalOf, sha256 } from "../support/client.ts";
import { CREATED_AT, fingerprint, writeOld, writePythonTree } from "../support/python-tree.ts";
import { removeDirectory, type Server, startServer, temporaryDirectory } from "../support/server.ts";
import { auditLines, objectsOf, sidecarOf, viewOf } from "../support/storage-tree.ts";

/** Runs `act` with a server that starts on a tree written by `write`. */
async function withTree<T>(
  write: (dir: string) => void,
  act: (server: Server, tierkeep: Tierkeep) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  const dir = await temporaryDirectory();
  write(dir);
  try {
    await using server = await startServer({ dir, env });
    return await act(server, createTierkeep({ url: server.url }));
  } finally {
    await removeDirectory(dir);
  }
}

async function reindex(tierkeep: Tierkeep, input: { readonly dryRun?: boolean } = {}) {
  const { job } = await tierkeep.reindex({ ...input, waitSeconds: 60 });
  expect(job.status).toBe("SUCCEEDED");
  return { job, found: await findings(tierkeep, job.id) };
}

/** Returns the findings of a job as "KIND path", sorted. */
async function findings(tierkeep: Tierkeep, id: string) {
  const page = await tierkeep.reindexJobFindings({ id, first: 500, withTotalCount: true });
  const nodes = page?.nodes ?? [];
  expect(page?.totalCount).toBe(nodes.length);
  for (const { message } of nodes) expect(message).toMatch(/\.$/);
  return nodes.map(({ kind, path }) => `${kind} ${path}`).sort();
}

const keyOf = (name: string) => {
  const [tenantId = "", workflowId = "", artifactId = ""] = name.split("/");
  return { tenantId, workflowId, artifactId };
};

const textOf = async (tierkeep: Tierkeep, name: string) => (await tierkeep.download(keyOf(name))).text();

/** Writes a tree with every known type of damage of the old system. */
function damaged(dir: string): void {
  writePythonTree(dir, [
    { tier: "hot", name: "acme/w/twice.txt", content: "newer", ageDays: 1, sidecar: { author: "new" } },
    { tier: "warm", name: "acme/w/twice.txt", content: "older", ageDays: 2, sidecar: { author: "old" } },
    { tier: "cold", name: "acme/w/twice.txt", content: "oldest", ageDays: 3 },
    { tier: "cold", name: "acme/w/contract.pdf", ageDays: 200, sidecar: { retention_override: "7_years" } },
    { tier: "warm", name: "acme/w/other.txt", sidecar: { author: "Ann", _checksum: sha256("other bytes") } },
    { tier: "hot", name: "acme/w/torn.txt", sidecar: '{"author": "Be' },
    { tier: "hot", name: "acme/w/list.txt", sidecar: "[1]" },
    { tier: "hot", name: "acme/w/deep.txt", sidecar: `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}` },
    { tier: "hot", name: "acme/w/bare.md", sidecar: null },
    { tier: "hot", name: "acme/w/folder/inner.txt", sidecar: { author: "Bo" } },
    { tier: "hot", name: "acme/w/con", sidecar: {} },
    { tier: "hot", name: ".hidden/w/a.txt", sidecar: null },
  ]);
  const hot = join(dir, "artifacts", "hot");
  writeOld(join(hot, "acme/w/.report.md.tmp"), "half");
  writeOld(join(hot, "acme/w/gone.txt.metadata.json"), "{}");
  writeOld(join(hot, "loose.txt"), "loose");
  writeOld(join(hot, "acme/loose.txt"), "loose");
  symlinkSync("/etc/hostname", join(hot, "acme/w/link"));
  writeFileSync(Buffer.concat([Buffer.from(`${hot}/acme/w/`), Buffer.from([0xff, 0x2e])]), "no UTF-8");
}

const LEFT = [
  "NAME_REFUSED hot/.hidden/w/a.txt",
  "NAME_REFUSED hot/acme/w/con",
  "NAME_REFUSED hot/acme/w/\ufffd.",
  "NOT_AN_ARTIFACT hot/acme/loose.txt",
  "NOT_AN_ARTIFACT hot/acme/w/link",
  "NOT_AN_ARTIFACT hot/loose.txt",
  "ORPHAN_SIDECAR hot/acme/w/gone.txt.metadata.json",
  "TEMPORARY_FILE hot/acme/w/.report.md.tmp",
];

const ADOPTED = [
  "ADOPTED cold/acme/w/contract.pdf",
  "ADOPTED hot/acme/w/bare.md",
  "ADOPTED hot/acme/w/deep.txt",
  "ADOPTED hot/acme/w/folder/inner.txt",
  "ADOPTED hot/acme/w/list.txt",
  "ADOPTED hot/acme/w/torn.txt",
  "ADOPTED hot/acme/w/twice.txt",
  "ADOPTED warm/acme/w/other.txt",
  "CHECKSUM_DIFFERS warm/acme/w/other.txt",
  "QUARANTINED cold/acme/w/twice.txt",
  "QUARANTINED warm/acme/w/twice.txt",
  "RETENTION_OVERRIDE cold/acme/w/contract.pdf",
  "TORN_SIDECAR hot/acme/w/deep.txt",
  "TORN_SIDECAR hot/acme/w/list.txt",
  "TORN_SIDECAR hot/acme/w/torn.txt",
];

describe("reindex of a tree that the Python system wrote", () => {
  it("adopts each file with its bytes, metadata, times and tier, and copies nothing", async () => {
    await withTree(
      (dir) =>
        writePythonTree(dir, [
          {
            tier: "warm",
            name: "acme/weekly/report.md",
            content: "# Report",
            ageDays: 12,
            sidecar: { author: "Ann", n: [1] },
          },
        ]),
      async (server, tierkeep) => {
        const path = join(server.dir, "artifacts/warm/acme/weekly/report.md");
        const before = statSync(path);
        expect(await tierkeep.artifact(keyOf("acme/weekly/report.md"))).toBeNull();
        const { job } = await reindex(tierkeep);
        expect(job).toMatchObject({
          adoptedCount: 1,
          presentCount: 0,
          leftCount: 0,
          totalErrors: 0,
          progress: 1,
        });
        const artifact = await tierkeep.artifact(keyOf("acme/weekly/report.md"));
        const written = before.mtime.toISOString();
        expect(artifact).toMatchObject({
          tier: "WARM",
          sizeBytes: 8,
          checksum: sha256("# Report"),
          contentType: "text/markdown",
          metadata: { author: "Ann", n: [1] },
          createdAt: `${CREATED_AT.slice(0, 23)}Z`,
          modifiedAt: written,
          ageSince: written,
          promotedAt: null,
          nextTransition: { action: "PROMOTE_TO_COLD", at: daysAfter(written, 30) },
        });
        expect(await textOf(tierkeep, "acme/weekly/report.md")).toBe("# Report");
        const [object = ""] = await objectsOf(server);
        expect(statSync(object).ino).toBe(before.ino);
        expect(statSync(path)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs, mode: 0o100444 });
        await expect
          .poll(() => sidecarOf(server, "warm/acme/weekly/report.md"))
          .toMatchObject({ author: "Ann", _checksum: sha256("# Report"), _object: object.slice(-32) });
      },
    );
  });

  it("writes one event per adopted artifact, also to the audit log", async () => {
    await withTree(
      (dir) =>
        writePythonTree(dir, [
          { tier: "hot", name: "a/w/1" },
          { tier: "cold", name: "b/w/2", ageDays: 40 },
        ]),
      async (server, tierkeep) => {
        const { job } = await reindex(tierkeep);
        const { nodes } = await tierkeep.lifecycleEventHistory({
          where: { jobId: job.id },
          direction: "ASC",
        });
        expect(nodes.map(({ type, artifactId, toTier }) => [type, artifactId, toTier])).toEqual([
          ["LIFECYCLE_JOB_STARTED", null, null],
          ["ARTIFACT_ADOPTED", "1", "HOT"],
          ["ARTIFACT_ADOPTED", "2", "COLD"],
          ["LIFECYCLE_JOB_COMPLETED", null, null],
        ]);
        expect(nodes[2]?.ageDays).toBeCloseTo(40, 1);
        await expect
          .poll(() => auditLines(server).map(({ event_type }) => event_type))
          .toContain("artifact_adopted");
        expect(await tierkeep.tierStats()).toMatchObject([
          { artifactCount: 1 },
          { artifactCount: 0 },
          { artifactCount: 1 },
        ]);
      },
    );
  });

  it("reports every type of damage, adopts the usable files and leaves the others in place", async () => {
    await withTree(damaged, async (server, tierkeep) => {
      const before = fingerprint(server.dir);
      const { job, found } = await reindex(tierkeep);
      expect(found).toEqual([...ADOPTED, ...LEFT].sort());
      expect(job).toMatchObject({ adoptedCount: 8, quarantinedCount: 2, leftCount: LEFT.length });
      expect(job.totalErrors).toBe(
        found.filter((line) => !/^(ADOPTED|RETENTION_OVERRIDE) /.test(line)).length,
      );

      expect(await textOf(tierkeep, "acme/w/twice.txt")).toBe("newer");
      expect((await tierkeep.artifact(keyOf("acme/w/twice.txt")))?.metadata).toEqual({ author: "new" });
      const other = await tierkeep.artifact(keyOf("acme/w/other.txt"));
      expect(other).toMatchObject({
        metadata: { author: "Ann" },
        checksum: sha256("content of acme/w/other.txt"),
      });
      expect(other?.createdAt).not.toBe(`${CREATED_AT.slice(0, 23)}Z`);
      expect((await tierkeep.artifact(keyOf("acme/w/torn.txt")))?.metadata).toEqual({});

      // The publisher removes the files that lost a conflict. All other files stay in place.
      await expect.poll(() => viewOf(server)).not.toContain("cold/acme/w/twice.txt");
      await expect.poll(() => viewOf(server)).not.toContain("warm/acme/w/twice.txt.metadata.json");
      const left = LEFT.map((line) => line.slice(line.indexOf(" ") + 1));
      const still = fingerprint(server.dir);
      for (const path of left) {
        const lines = before.filter((line) => line.startsWith(`${path} `) || line.startsWith(`${path}/`));
        expect(still).toEqual(expect.arrayContaining(lines));
      }
      const quarantine = join(server.dir, "artifacts/.tierkeep/quarantine");
      const aside = readdirSync(quarantine).map((name) => readFileSync(join(quarantine, name), "utf8"));
      expect(aside).toEqual(expect.arrayContaining(["older", "oldest", '{"author": "Be', "[1]"]));
    });
  });

  it("reports all artifacts as present and the same remaining files when it is repeated", async () => {
    await withTree(damaged, async (server, tierkeep) => {
      await reindex(tierkeep);
      await expect.poll(() => viewOf(server)).not.toContain("cold/acme/w/twice.txt");
      await expect.poll(() => viewOf(server)).not.toContain("warm/acme/w/twice.txt");
      const { job, found } = await reindex(tierkeep);
      expect(found).toEqual([...LEFT].sort());
      expect(job).toMatchObject({
        adoptedCount: 0,
        presentCount: 8,
        quarantinedCount: 0,
        leftCount: LEFT.length,
      });
    });
  });

  it("changes nothing in a dry run, and predicts the findings of the live run", async () => {
    await withTree(damaged, async (server, tierkeep) => {
      const before = fingerprint(server.dir);
      const dry = await reindex(tierkeep, { dryRun: true });
      expect(fingerprint(server.dir)).toEqual(before);
      expect(await objectsOf(server)).toEqual([]);
      expect((await tierkeep.artifacts({ withTotalCount: true })).totalCount).toBe(0);
      expect((await tierkeep.tenants()).nodes).toEqual([]);
      expect(auditLines(server).map(({ event_type }) => event_type)).toEqual(
        expect.not.arrayContaining(["artifact_adopted"]),
      );
      // A dry run does not block purges.
      await tierkeep.upload(keyOf("z/w/1"), "x");
      await tierkeep.purgeArtifact(keyOf("z/w/1"));
      const live = await reindex(tierkeep);
      expect(live.found).toEqual(dry.found);
      for (const count of ["adoptedCount", "quarantinedCount", "leftCount", "totalErrors"] as const)
        expect(live.job[count]).toBe(dry.job[count]);
    });
  });

  it("adopts artifacts with unusual but valid names", async () => {
    const names = [
      "a b/büro/報告.txt",
      "A/W/x.metadata.jsonl",
      "😀/w/%2e%2e",
      "a/w/.tmp.x".replace("/.tmp", "/tmp"),
      "a/w/x.tmp",
    ];
    await withTree(
      (dir) =>
        writePythonTree(
          dir,
          names.map((name) => ({ tier: "cold" as const, name })),
        ),
      async (_server, tierkeep) => {
        const { job } = await reindex(tierkeep);
        expect(job).toMatchObject({ adoptedCount: names.length, leftCount: 0 });
        for (const name of names) expect(await textOf(tierkeep, name)).toBe(`content of ${name}`);
      },
    );
  });

  it("never overwrites an artifact in the catalog: a file with the same key is quarantined", async () => {
    await withTree(
      () => {},
      async (server, tierkeep) => {
        await tierkeep.upload(keyOf("acme/w/a.txt"), "ours");
        await untilPublished(server);
        writePythonTree(server.dir, [
          { tier: "cold", name: "acme/w/a.txt", content: "theirs", sidecar: null },
        ]);
        const { job, found } = await reindex(tierkeep);
        expect(found).toEqual(["QUARANTINED cold/acme/w/a.txt"]);
        expect(job).toMatchObject({ adoptedCount: 0, presentCount: 1, quarantinedCount: 1 });
        expect(await textOf(tierkeep, "acme/w/a.txt")).toBe("ours");
        await expect.poll(() => existsSync(join(server.dir, "artifacts/cold/acme/w/a.txt"))).toBe(false);
        expect(await textOf(tierkeep, "acme/w/a.txt")).toBe("ours");
      },
    );
  });

  it("is rejected without a published tree, and the message names PUBLISH_TREE", async () => {
    await withTree(
      () => {},
      async (_server, tierkeep) => {
        const refusal = await refusalOf(tierkeep.reindex({}));
        expect(refusal).toMatchObject({
          code: "UNAVAILABLE",
          message: expect.stringContaining("PUBLISH_TREE"),
        });
      },
      { PUBLISH_TREE: "false" },
    );
  });
});

describe("a reindex that adopted artifacts", () => {
  const old = (dir: string) =>
    writePythonTree(dir, [
      { tier: "cold", name: "acme/w/old.txt", ageDays: 200 },
      { tier: "cold", name: "acme/w/contract.pdf", ageDays: 200, sidecar: { retention_override: "7_years" } },
      { tier: "hot", name: "acme/w/young.txt", ageDays: 8 },
    ]);

  it("blocks purges by requests and runs, across a restart, until it is confirmed", async () => {
    await withTree(old, async (server, tierkeep) => {
      const { job } = await reindex(tierkeep);
      await server.restart();
      const refused = await refusalOf(tierkeep.purgeArtifact(keyOf("acme/w/old.txt")));
      expect(refused).toMatchObject({ code: "HELD", jobId: job.id });

      const { job: run } = await tierkeep.runLifecycle({ waitSeconds: 60 });
      expect(run).toMatchObject({ status: "BLOCKED", purged: 0, promotedToWarm: 1, totalErrors: 0 });
      expect(run.error).toMatch(/reindex/);
      const { nodes } = await tierkeep.lifecycleEventHistory({
        where: { jobId: run.id, types: ["LIFECYCLE_STEP_FAILED"] },
      });
      expect(nodes).toMatchObject([{ errorCode: "HELD" }]);

      const { job: confirmed } = await tierkeep.confirmReindex({ id: job.id });
      expect(confirmed.confirmedAt).toMatch(/Z$/);
      expect((await tierkeep.confirmReindex({ id: job.id })).job).toEqual(confirmed);
      const confirmations = await tierkeep.lifecycleEventHistory({ where: { types: ["REINDEX_CONFIRMED"] } });
      expect(confirmations.nodes).toMatchObject([{ jobId: job.id, actor: "local" }]);
      await tierkeep.purgeArtifact(keyOf("acme/w/old.txt"));
    });
  });

  it("protects artifacts with retention_override from purges: a run reports them as skipped and continues", async () => {
    await withTree(old, async (_server, tierkeep) => {
      const { job } = await reindex(tierkeep);
      await tierkeep.confirmReindex({ id: job.id });
      const held = keyOf("acme/w/contract.pdf");
      expect((await tierkeep.artifact(held))?.nextTransition).toBeNull();
      for (const dryRun of [true, false]) {
        expect(await refusalOf(tierkeep.purgeArtifact({ ...held, dryRun }))).toMatchObject({
          code: "HELD",
          tier: "COLD",
        });
        const { job: run } = await tierkeep.runLifecycle({ dryRun, steps: ["PURGE"] });
        expect(run).toMatchObject({ status: "SUCCEEDED", purged: 1, totalErrors: 0 });
        const items = await tierkeep.lifecycleJobItems({ id: run.id });
        expect(items?.nodes).toMatchObject([
          { artifactId: "contract.pdf", outcome: "SKIPPED", errorCode: "HELD" },
          { artifactId: "old.txt", outcome: dryRun ? "PLANNED" : "DONE", errorCode: null },
        ]);
      }
      expect(await textOf(tierkeep, "acme/w/contract.pdf")).toBe("content of acme/w/contract.pdf");
    });
  });

  it("cannot be confirmed if it was a dry run or another type of job", async () => {
    await withTree(old, async (_server, tierkeep) => {
      const { job } = await reindex(tierkeep, { dryRun: true });
      expect(await refusalOf(tierkeep.confirmReindex({ id: job.id }))).toMatchObject({
        code: "BAD_USER_INPUT",
      });
      const { job: run } = await tierkeep.runLifecycle({ dryRun: true });
      for (const id of [run.id, "nothing"])
        expect(await refusalOf(tierkeep.confirmReindex({ id }))).toMatchObject({ code: "NOT_FOUND" });
    });
  });
});
