import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { beforeEach, describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { COMMAND } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";
import { EVERYTHING_DUE } from "./seeded-store.ts";

const ENTER = "\r";
const TAB = "\t";
const SPACE = " ";
const BACKSPACE = "\u007f";
const DOWN = "\u001b[B";
const CTRL_C = "\u0003";

const shared = sharedServer(EVERYTHING_DUE);
let tenantId: string;

beforeEach(async () => {
  tenantId = newTenant();
  for (const artifactId of ["a", "b", "c"]) {
    const key = { tenantId, workflowId: "weekly", artifactId };
    await shared.tierkeep.writeArtifact({ ...key, tier: "WARM", content: { text: artifactId } });
  }
});

/** Runs the command on a pseudo-terminal, by the command `script`, and types the keys when the question appears. */
async function answering(question: string, keys: string, ...args: string[]) {
  const words = [process.execPath, COMMAND, ...args, "--url", shared.server.url];
  const line = words.map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", `stty cols 100; ${line}`, "/dev/null"], {
    env: { PATH: process.env.PATH, TERM: "xterm" },
  });
  using _ = { [Symbol.dispose]: () => void child.kill("SIGKILL") };
  let shown = "";
  let typed = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (typed || !shown.includes(question)) return;
    typed = true;
    child.stdin.write(keys);
  });
  const [code] = await once(child, "close");
  return { code, shown };
}

async function tiers(): Promise<Record<string, string>> {
  const { nodes } = await shared.tierkeep.artifacts({ where: { tenantId } });
  return Object.fromEntries(nodes.map(({ artifactId, tier }) => [artifactId, tier]));
}

describe("purge at a terminal", () => {
  const purge = (keys: string) => answering("It cannot be restored.", keys, "purge", `${tenantId}/weekly/a`);

  it("purges after a yes", async () => {
    const { code, shown } = await purge("y");
    expect(code).toBe(0);
    expect(shown).toContain(`Purge ${tenantId}/weekly/a (WARM, 1 B, `);
    expect(shown).toContain(`Purged ${tenantId}/weekly/a from WARM (1 B)`);
    expect(await tiers()).toEqual({ b: "WARM", c: "WARM" });
  });

  it.each([
    ["anything else", ENTER, 1],
    ["Ctrl-C", CTRL_C, 130],
  ])("changes nothing on %s", async (_, keys, exit) => {
    const { code } = await purge(keys);
    expect(code).toBe(exit);
    expect(Object.keys(await tiers())).toHaveLength(3);
  });
});

describe("lifecycle run --live at a terminal", () => {
  const run = (keys: string, ...more: string[]) => {
    const args = ["lifecycle", "run", "--live", "--tenant", tenantId, "--step", "purge", ...more];
    return answering("Continue?", keys, ...args);
  };

  beforeEach(async () => {
    for (const artifactId of ["d", "e"]) {
      const key = { tenantId, workflowId: "weekly", artifactId };
      await shared.tierkeep.writeArtifact({ ...key, tier: "COLD", content: { text: "due" } });
    }
  });

  it("purges after a yes", async () => {
    const { code, shown } = await run("y");
    expect(code).toBe(0);
    expect(shown).toContain("This will purge 2 artifacts (6 B) permanently. Continue?");
    expect(Object.keys(await tiers())).toEqual(["a", "b", "c"]);
  });

  it.each([
    ["anything else", ENTER, 1],
    ["Ctrl-C", CTRL_C, 130],
  ])("changes nothing on %s", async (_, keys, exit) => {
    const { code } = await run(keys);
    expect(code).toBe(exit);
    expect(Object.keys(await tiers())).toHaveLength(5);
  });

  it("does not ask with --yes, or if nothing would be purged", async () => {
    for (const args of [["--yes"], []]) {
      const { code, shown } = await run(CTRL_C, ...args);
      expect(code).toBe(0);
      expect(shown).not.toContain("Continue?");
    }
    expect(Object.keys(await tiers())).toHaveLength(3);
  });
});

describe("keys revoke at a terminal", () => {
  it.each([
    ["revokes after a yes", "y", 0],
    ["changes nothing on anything else", ENTER, 1],
  ])("%s", async (_, keys, exit) => {
    const { apiKey } = await shared.tierkeep.createApiKey({ role: "READER", tenantIds: [tenantId] });
    const { code } = await answering("This cannot be undone.", keys, "keys", "revoke", apiKey.keyId);
    expect(code).toBe(exit);
    const { nodes } = await shared.tierkeep.apiKeys({ first: 1 });
    expect(nodes.map(({ keyId, revokedAt }) => [keyId, revokedAt !== null])).toEqual([
      [apiKey.keyId, exit === 0],
    ]);
  });
});

describe("restore with only a tenant at a terminal", () => {
  it.each([
    ["with Tab", [TAB, DOWN, DOWN, TAB, ENTER]],
    ["with Space", [SPACE, DOWN, DOWN, SPACE, ENTER]],
    ["with Space after a search", ["y/c", ...BACKSPACE.repeat(3), SPACE, "y/a", TAB, ENTER]],
    ["by a search with a blank", ["y/a (", TAB, ...BACKSPACE.repeat(5), "y/c (", TAB, ENTER]],
  ])("restores the artifacts chosen %s", async (_, pressed) => {
    const keys = pressed.join("");
    const { code, shown } = await answering(
      "Which artifacts to restore?",
      keys,
      "restore",
      "--tenant",
      tenantId,
    );
    expect(code).toBe(0);
    expect(shown).toContain("Restored 2 artifacts to HOT");
    expect(await tiers()).toEqual({ a: "HOT", b: "WARM", c: "HOT" });
  });
});
