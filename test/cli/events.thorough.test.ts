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

// Commands and servers start one after the other here, on machines that may be busy.
const SEVERAL_PROCESSES = { timeout: 60_000 };
const PATIENCE = { timeout: 40_000 };

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

/** The artifacts of the events that a command has shown so far, as JSON, in that order. */
function shownBy({ stdout }: RunningCommand): string[] {
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line).artifactId);
}

const NAMES = Array.from({ length: 40 }, (_, index) => `a-${String(index).padStart(2, "0")}`);

describe("events --follow", () => {
  it(
    "shows the newest, then what happens, none left out and none twice, until Ctrl-C, which is its good end",
    SEVERAL_PROCESSES,
    async () => {
      const tenant = newTenant();
      const [before, after] = [NAMES.slice(0, 20), NAMES.slice(20)];
      await write(tenant, ...before);
      await using following = startCommand(
        ["events", "--follow", "--show", "10", "--tenant", tenant, "--json", "--url", server.url],
        {},
      );
      // Some of it while the command is between its history and what comes after.
      await write(tenant, ...after);
      const expected = expect.poll(() => shownBy(following).at(-1), PATIENCE);
      await expected.toBe(NAMES.at(-1));
      following.signal("SIGINT");
      const { code, stderr } = await following.ended;
      expect([code, stderr]).toEqual([0, ""]);
      // The history may have begun later, with the newest ten of that moment.
      const shown = shownBy(following);
      expect(shown).toEqual(NAMES.slice(-shown.length));
      expect(shown.length).toBeGreaterThanOrEqual(10);
    },
  );

  it("begins with what happens where there is no history, and takes up again when the server comes back", {
    timeout: 60_000,
  }, async () => {
    await using own = await startServer();
    const ours = createTierkeep({ url: own.url });
    const key = { tenantId: "acme", workflowId: "w" };
    await using following = startCommand(
      ["events", "--follow", "--json", "--type", "artifact_written", "--url", own.url],
      {},
    );
    // It asks for its place in the log first of all; what it misses before that is not its to show.
    await expect
      .poll(async () => {
        await ours.writeArtifact({ ...key, artifactId: "first", content: { text: "" } });
        return shownBy(following).length;
      }, PATIENCE)
      .toBeGreaterThan(0);
    await own.restart();
    await ours.writeArtifact({ ...key, artifactId: "last", content: { text: "" } });
    await expect.poll(() => shownBy(following).at(-1), PATIENCE).toBe("last");
    following.signal("SIGTERM");
    const { code, stderr } = await following.ended;
    expect([code, stderr.split("\n")]).toEqual([
      0,
      [
        "The connection is lost; trying again until it is back.",
        "The connection is back; nothing was missed.",
        "",
      ],
    ]);
  });

  it("opens a store that no server has open, and closes it at Ctrl-C", { timeout: 60_000 }, async () => {
    const dir = await temporaryDirectory();
    {
      // A command that only reads does not create a store.
      await using _creating = await startServer({ dir });
    }
    await using following = startCommand(["events", "--follow"], { cwd: dir });
    await expect.poll(() => following.stdout, PATIENCE).toMatch(/^when +what +artifact +who\n/);
    await using writing = startCommand(["gql", "-"], {
      cwd: dir,
      input: `mutation { writeArtifact(input: {
        tenantId: "acme", workflowId: "w", artifactId: "a", content: { text: "x" } }) { created } }`,
    });
    expect((await writing.ended).code).toBe(0);
    await expect.poll(() => following.stdout, PATIENCE).toMatch(/artifact written +acme\/w\/a /);
    following.signal("SIGINT");
    const { code, stderr } = await following.ended;
    expect([code, stderr]).toEqual([0, ""]);
    {
      await using next = await startServer({ dir });
      expect(next.stderr).toBe("");
    }
    // Not before its server is gone, which may yet write to it.
    await removeDirectory(dir);
  });
});

describe("gql", () => {
  it("shows a subscription's events, a line each, until Ctrl-C", SEVERAL_PROCESSES, async () => {
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
    await expect.poll(() => following.stdout, PATIENCE).toBe(line("one") + line("two"));
    await write(tenant, "three");
    await expect.poll(() => following.stdout, PATIENCE).toContain(line("three"));
    following.signal("SIGINT");
    expect((await following.ended).code).toBe(130);
  });

  it(
    "says in one line that the server is gone, before and within a subscription",
    SEVERAL_PROCESSES,
    async () => {
      await using own = await startServer();
      const args = [
        "gql",
        "-",
        "--url",
        own.url,
        "--variables",
        JSON.stringify({ after: await newest(own) }),
      ];
      const input = "subscription ($after: String) { lifecycleEvents(after: $after) { artifactId } }";
      await using following = startCommand(args, { input });
      const ours = createTierkeep({ url: own.url });
      await ours.writeArtifact({ tenantId: "acme", workflowId: "w", artifactId: "a", content: { text: "" } });
      await expect.poll(() => following.stdout, PATIENCE).toContain('"artifactId":"a"');
      await own.kill("SIGKILL");
      const broken = {
        code: 6,
        stderr: expect.stringMatching(
          /^tierkeep: http:\S+\/graphql(?:: The connection to the server broke off\.| cannot be reached \(E).*\n$/,
        ),
      };
      expect(await following.ended).toMatchObject(broken);
      await using late = startCommand(args, { input });
      expect(await late.ended).toMatchObject(broken);
    },
  );
});

async function newest({ url }: Server): Promise<string> {
  return await createTierkeep({ url }).lifecycleEventCursor();
}
