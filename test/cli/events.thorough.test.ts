import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import {
  type RunningCommand,
  removeDirectory,
  type Server,
  startCommand,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";

// These tests start several processes one after the other, on machines that may be busy.
const SEVERAL_PROCESSES = { timeout: 60_000 };
const WITHIN = { timeout: 40_000 };

let server: Server;
let tierkeep: Tierkeep;

beforeAll(async () => {
  server = await startServer();
  tierkeep = createTierkeep({ url: server.url });
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function write(tenantId: string, ...artifactIds: readonly string[]): Promise<void> {
  for (const artifactId of artifactIds) {
    await tierkeep.writeArtifact({ tenantId, workflowId: "w", artifactId, content: { text: artifactId } });
  }
}

/** Returns the artifact ids of the events that a command has written as JSON so far. */
function shownBy({ stdout }: RunningCommand): string[] {
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line).artifactId);
}

const NAMES = Array.from({ length: 40 }, (_, index) => `a-${String(index).padStart(2, "0")}`);

describe("events --follow", () => {
  it(
    "shows the newest events, then new ones, each once, and ends with 0 on Ctrl-C",
    SEVERAL_PROCESSES,
    async () => {
      const tenant = newTenant();
      const [before, after] = [NAMES.slice(0, 20), NAMES.slice(20)];
      await write(tenant, ...before);
      await using following = startCommand(
        ["events", "--follow", "--show", "10", "--tenant", tenant, "--json", "--url", server.url],
        {},
      );
      // Some of these events happen while the command switches from past to new events.
      await write(tenant, ...after);
      const expected = expect.poll(() => shownBy(following).at(-1), WITHIN);
      await expected.toBe(NAMES.at(-1));
      following.signal("SIGINT");
      const { code, stderr } = await following.ended;
      expect([code, stderr]).toEqual([0, ""]);
      // The command may have read the past events later, so it may show more than the last 30.
      const shown = shownBy(following);
      expect(shown).toEqual(NAMES.slice(-shown.length));
      expect(shown.length).toBeGreaterThanOrEqual(10);
    },
  );

  it("shows new events of an empty log, and reconnects after a restart of the server", {
    timeout: 60_000,
  }, async () => {
    await using own = await startServer();
    const ours = createTierkeep({ url: own.url });
    const key = { tenantId: "acme", workflowId: "w" };
    await using following = startCommand(
      ["events", "--follow", "--json", "--type", "artifact_written", "--url", own.url],
      {},
    );
    // Events before the command has read its start position are not shown.
    await expect
      .poll(async () => {
        await ours.writeArtifact({ ...key, artifactId: "first", content: { text: "" } });
        return shownBy(following).length;
      }, WITHIN)
      .toBeGreaterThan(0);
    await own.restart();
    await ours.writeArtifact({ ...key, artifactId: "last", content: { text: "" } });
    await expect.poll(() => shownBy(following).at(-1), WITHIN).toBe("last");
    following.signal("SIGTERM");
    const { code, stderr } = await following.ended;
    expect([code, stderr.split("\n")]).toEqual([
      0,
      ["The connection was lost. Reconnecting.", "Reconnected. No event was missed.", ""],
    ]);
  });

  it("opens a store without a server, and closes it on Ctrl-C", { timeout: 60_000 }, async () => {
    const dir = await temporaryDirectory();
    {
      // A command that only reads does not create a store.
      await using _creating = await startServer({ dir });
    }
    await using following = startCommand(["events", "--follow"], { cwd: dir });
    await expect.poll(() => following.stdout, WITHIN).toMatch(/^when +what +artifact +who\n/);
    await using writing = startCommand(["gql", "-"], {
      cwd: dir,
      input: `mutation { writeArtifact(input: {
        tenantId: "acme", workflowId: "w", artifactId: "a", content: { text: "x" } }) { created } }`,
    });
    expect((await writing.ended).code).toBe(0);
    await expect.poll(() => following.stdout, WITHIN).toMatch(/artifact written +acme\/w\/a /);
    following.signal("SIGINT");
    const { code, stderr } = await following.ended;
    expect([code, stderr]).toEqual([0, ""]);
    {
      await using next = await startServer({ dir });
      expect(next.stderr).toBe("");
    }
    // Only after the server has ended, which may still write to the folder.
    await removeDirectory(dir);
  });
});

describe("gql", () => {
  it("writes a line for each event of a subscription until Ctrl-C", SEVERAL_PROCESSES, async () => {
    const tenant = newTenant();
    const after = await newest(server);
    await write(tenant, "one", "two");
    await using following = startCommand(
      ["gql", "-", "--url", server.url, "--variables", JSON.stringify({ after, tenant })],
      {
        input: `subscription ($after: String, $tenant: String) {
          lifecycleEvents(after: $after, where: { tenantId: $tenant }) { artifactId }
        }`,
      },
    );
    const line = (artifactId: string) => `${JSON.stringify({ lifecycleEvents: { artifactId } })}\n`;
    await expect.poll(() => following.stdout, WITHIN).toBe(line("one") + line("two"));
    await write(tenant, "three");
    await expect.poll(() => following.stdout, WITHIN).toContain(line("three"));
    following.signal("SIGINT");
    expect((await following.ended).code).toBe(130);
  });

  it("reports a lost server in one line, before and during a subscription", SEVERAL_PROCESSES, async () => {
    await using own = await startServer();
    const args = ["gql", "-", "--url", own.url, "--variables", JSON.stringify({ after: await newest(own) })];
    const input = "subscription ($after: String) { lifecycleEvents(after: $after) { artifactId } }";
    await using following = startCommand(args, { input });
    const ours = createTierkeep({ url: own.url });
    await ours.writeArtifact({ tenantId: "acme", workflowId: "w", artifactId: "a", content: { text: "" } });
    await expect.poll(() => following.stdout, WITHIN).toContain('"artifactId":"a"');
    await own.kill("SIGKILL");
    const broken = {
      code: 6,
      stderr: expect.stringMatching(
        /^tierkeep: http:\S+\/graphql(?:: The connection to the server was lost\.| cannot be reached \(E).*\n$/,
      ),
    };
    expect(await following.ended).toMatchObject(broken);
    await using late = startCommand(args, { input });
    expect(await late.ended).toMatchObject(broken);
  });
});

async function newest({ url }: Server): Promise<string> {
  return await createTierkeep({ url }).lifecycleEventCursor();
}
