import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { expect, it } from "vitest";
import { runCommand, startServer } from "../support/server.ts";
import { auditLines } from "../support/storage-tree.ts";

const linesOf = (text: string) =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it("tierkeep audit export writes the selected events as in the log, without the fields of its hash chain", {
  timeout: 90_000,
}, async () => {
  await using server = await startServer();
  const tierkeep = createTierkeep({ url: server.url });
  for (const tenantId of ["acme", "other", "acme"]) {
    await tierkeep.upload({ tenantId, workflowId: "w", artifactId: "a" }, "x");
  }
  await tierkeep.promoteArtifact({ tenantId: "acme", workflowId: "w", artifactId: "a", toTier: "COLD" });
  const run = async (...args: readonly string[]) =>
    await runCommand(["audit", "export", ...args], { cwd: server.dir });

  const all = await run();
  expect(all).toMatchObject({ code: 0, stderr: "" });
  await expect.poll(() => auditLines(server)).toHaveLength(4);
  const logged = auditLines(server).map(({ seq, segment, prev, ...rest }) => rest);
  expect(linesOf(all.stdout).map(({ cursor, ...rest }) => rest)).toEqual(logged);
  expect(Object.keys(linesOf(all.stdout)[0] ?? {})).toEqual(["cursor", ...Object.keys(logged[0] ?? {})]);

  const ofTenant = await run("--tenant", "acme", "--output", "acme.jsonl");
  expect(ofTenant).toMatchObject({ code: 0, stdout: "", stderr: "3 events written to acme.jsonl\n" });
  const written = linesOf(readFileSync(join(server.dir, "acme.jsonl"), "utf8"));
  expect(written.map((line) => line.event_type)).toEqual([
    "artifact_written",
    "artifact_written",
    "artifact_promoted",
  ]);
  expect(readdirSync(server.dir).filter((name) => name.includes(".tmp"))).toEqual([]);

  const third = String(logged[2]?.timestamp);
  const since = linesOf((await run("--since", third)).stdout);
  const until = linesOf((await run("--until", third)).stdout);
  expect([...until, ...since]).toEqual(linesOf(all.stdout));
  expect(since[0]?.timestamp).toBe(third);
  expect((await run("--until", "2020-01-31")).stdout).toBe("");
  expect(await run("--since", "yesterday")).toMatchObject({ code: 2 });
  expect(await run("--output", "no/such/folder.jsonl")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("no/such/folder.jsonl"),
  });
});
