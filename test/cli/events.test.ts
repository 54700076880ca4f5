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
  it("shows the newest, then what happens, none left out and none twice, until Ctrl-C, which is its good end", async () => {
    const tenant = newTenant();
    const [before, after] = [NAMES.slice(0, 20), NAMES.slice(20)];
    await write(tenant, ...before);
    await using following = startCommand(
      ["events", "--follow", "--show", "10", "--tenant", tenant, "--json", "--url", server.url],
      {},
    );
    // Some of it while the command is between its history and what comes after.
    await write(tenant, ...after);
    const expected = expect.poll(() => shownBy(following).at(-1), { timeout: 15_000 });
    await expected.toBe(NAMES.at(-1));
    following.signal("SIGINT");
    const { code, stderr } = await following.ended;
    expect([code, stderr]).toEqual([0, ""]);
    // The history may have begun later, with the newest ten of that moment.
    const shown = shownBy(following);
    expect(shown).toEqual(NAMES.slice(-shown.length));
    expect(shown.length).toBeGreaterThanOrEqual(10);
  });

  it("begins with what happens where there is no history, and takes up again when the server comes back", async () => {
    await using own = await startServer();
    const ours = createTierkeep({ url: own.url });
    const key = { tenantId: "acme", workflowId: "w" };
    await using following = startCommand(
      ["events", "--follow", "--json", "--type", "artifact_written", "--url", own.url],
      {},
    );
    // It asks for its place in the log first of all; what it misses before that is not its to show.
    await expect
      .poll(
        async () => {
          await ours.writeArtifact({ ...key, artifactId: "first", content: { text: "" } });
          return shownBy(following).length;
        },
        { timeout: 15_000 },
      )
      .toBeGreaterThan(0);
    await own.restart();
    await ours.writeArtifact({ ...key, artifactId: "last", content: { text: "" } });
    await expect.poll(() => shownBy(following).at(-1), { timeout: 15_000 }).toBe("last");
    following.signal("SIGTERM");
    expect((await following.ended).code).toBe(0);
  });

  it("opens the store itself where nobody has, and lets go of it at Ctrl-C", async () => {
    const dir = await temporaryDirectory();
    await using following = startCommand(["events", "--follow"], { cwd: dir });
    await expect.poll(() => following.stdout, { timeout: 15_000 }).toMatch(/^when +what +artifact +who\n/);
    await using writing = startCommand(["gql", "-"], {
      cwd: dir,
      input: `mutation { writeArtifact(input: {
        tenantId: "acme", workflowId: "w", artifactId: "a", content: { text: "x" } }) { created } }`,
    });
    expect((await writing.ended).code).toBe(0);
    await expect.poll(() => following.stdout, { timeout: 15_000 }).toMatch(/artifact written +acme\/w\/a /);
    following.signal("SIGINT");
    const { code, stderr } = await following.ended;
    expect([code, stderr]).toEqual([0, ""]);
    await using next = await startServer({ dir });
    expect(next.stderr).toBe("");
    await removeDirectory(dir);
  });
});

describe("gql", () => {
  it("shows a subscription's events, a line each, until Ctrl-C", async () => {
    const tenant = newTenant();
    const { lifecycleEventCursor: after } = await tierkeep.request<{ lifecycleEventCursor: string }>(
      "{ lifecycleEventCursor }",
    );
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
    await expect.poll(() => following.stdout, { timeout: 15_000 }).toBe(line("one") + line("two"));
    await write(tenant, "three");
    await expect.poll(() => following.stdout, { timeout: 15_000 }).toContain(line("three"));
    following.signal("SIGINT");
    expect((await following.ended).code).toBe(130);
  });
});
