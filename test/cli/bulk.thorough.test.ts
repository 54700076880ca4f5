import { beforeEach, describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { runCommand } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();
let tenant: string;

const run = (...args: string[]) => runCommand([...args, "--url", shared.server.url]);

async function artifactIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { artifactId, tier } of shared.tierkeep.artifacts({ where: { tenantId: tenant } })) {
    ids.push(`${artifactId} ${tier}`);
  }
  return ids;
}

beforeEach(async () => {
  tenant = newTenant();
  const write = (artifactId: string, metadata = {}) =>
    shared.tierkeep.upload({ tenantId: tenant, workflowId: "w", artifactId }, artifactId, { metadata });
  await Promise.all([
    write("draft-a", { draft: "yes" }),
    write("draft-b", { draft: "yes" }),
    write("draft-kept", { draft: "yes", retention_override: "10y" }),
    write("final"),
  ]);
});

describe("purge with a filter", () => {
  const purge = (...args: string[]) => run("purge", "--tenant", tenant, ...args);

  it("lists the matching artifacts in a dry run, and writes no event", async () => {
    const before = await shared.tierkeep.lifecycleEventCursor();
    const { code, stdout } = await purge("--meta", "draft=yes", "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\/w\/draft-a .*\n.*\/w\/draft-b .*\nWould purge 2 artifacts of \S+ \(14 B\); 1 artifact is held\n/,
    );
    expect(await shared.tierkeep.lifecycleEventCursor()).toBe(before);
    expect(await artifactIds()).toHaveLength(4);
  });

  it("deletes only the matching artifacts with --yes", async () => {
    expect(await purge("--meta", "draft=yes", "--yes")).toMatchObject({
      code: 0,
      stdout: `Purged 2 artifacts of ${tenant} (14 B)\n`,
      stderr: "",
    });
    expect(await artifactIds()).toEqual(["draft-kept HOT", "final HOT"]);
  });

  it("writes a line for each artifact with --json", async () => {
    const { stdout } = await purge("--prefix", "draft-", "--yes", "--json");
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ artifactId, outcome }) => [artifactId, outcome]).sort()).toEqual([
      ["draft-a", "DONE"],
      ["draft-b", "DONE"],
    ]);
  });

  it.each([
    [[], /No artifacts of the tenant are selected/],
    [["--all"], /This cannot be undone, and there is no terminal/],
    [["--all", "--yes", "--if-checksum", "0".repeat(64)], /--if-checksum is for one artifact/],
    [["--workflow", "w", "--artifact", "final", "--prefix", "a", "--yes"], /--artifact names one artifact/],
  ])("rejects %j and changes nothing", async (args, message) => {
    expect(await purge(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
    expect(await artifactIds()).toHaveLength(4);
  });
});

describe("promote with a filter", () => {
  const promote = (...args: string[]) => run("promote", "--tenant", tenant, "--to-tier", "cold", ...args);

  it("moves the matching artifacts, except those already in the tier", async () => {
    await shared.tierkeep.promoteArtifact({
      tenantId: tenant,
      workflowId: "w",
      artifactId: "draft-a",
      toTier: "COLD",
    });
    expect(await promote("--prefix", "draft-")).toMatchObject({
      code: 0,
      stdout: `Moved to COLD 2 artifacts of ${tenant} (17 B)\n`,
    });
    expect(await artifactIds()).toEqual(["draft-a COLD", "draft-b COLD", "draft-kept COLD", "final HOT"]);
  });
});
