import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { expect, it } from "vitest";
import { codesOf, dataOf } from "../support/client.ts";
import { sendRaw } from "../support/raw-http.ts";
import { removeDirectory, runCommand, startServer, temporaryDirectory } from "../support/server.ts";

const CLOSED = { GRAPHIQL: "false", INTROSPECTION: "false" };

it("serves only the SDK and the commands with GRAPHIQL=false, INTROSPECTION=false and ALLOWED_OPERATIONS=sdk", {
  timeout: 60_000,
}, async () => {
  await using server = await startServer({ env: { ...CLOSED, ALLOWED_OPERATIONS: "sdk" } });
  const tierkeep = createTierkeep({ url: server.url });
  const key = { tenantId: "acme", workflowId: "w", artifactId: "a.txt" };
  await tierkeep.writeArtifact({ ...key, content: { text: "one" } });
  await tierkeep.promoteArtifact({ ...key, toTier: "WARM" });
  expect((await tierkeep.artifacts()).nodes).toHaveLength(1);
  const after = await tierkeep.lifecycleEventCursor();
  const events = tierkeep.lifecycleEvents({ after })[Symbol.asyncIterator]();
  const next = events.next();
  await tierkeep.restoreArtifact(key);
  expect((await next).value).toMatchObject({ type: "ARTIFACT_RESTORED" });
  await events.return?.();
  expect(await codesOf(server, "{ viewer { actor } }")).toEqual(["FORBIDDEN"]);
  expect((await sendRaw(server, { path: "/", headers: { accept: "text/html" } })).status).toBe(404);
  const env = { TIERKEEP_URL: server.url };
  for (const args of [["ls"], ["stats"], ["stat", "acme/w/a.txt"], ["lifecycle", "summary"], ["events"]]) {
    const { code } = await runCommand(args, { env });
    expect([args, code]).toEqual([args, 0]);
  }
});

it("allows the operations of a custom folder, and fails at startup if the folder or an operation is unreadable", {
  timeout: 60_000,
}, async () => {
  const dir = await temporaryDirectory();
  try {
    const folder = join(dir, "operations");
    await mkdir(folder);
    await writeFile(join(folder, "who.graphql"), "query Who {\n  viewer { actor }\n}\n");
    {
      await using server = await startServer({ env: { ALLOWED_OPERATIONS: folder } });
      expect(await dataOf(server, "query Who { viewer { actor } }")).toEqual({ viewer: { actor: "local" } });
      expect(await codesOf(server, "query Who { viewer { role } }")).toEqual(["FORBIDDEN"]);
    }
    await writeFile(join(folder, "bad.graphql"), "query {");
    const bad = await runCommand(["serve"], { cwd: dir, env: { PORT: "0", ALLOWED_OPERATIONS: folder } });
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining("bad.graphql")]);
    const missing = await runCommand(["serve"], { cwd: dir, env: { PORT: "0", ALLOWED_OPERATIONS: "./no" } });
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("ENOENT")]);
  } finally {
    await removeDirectory(dir);
  }
});
