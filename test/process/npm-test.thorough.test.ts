import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ESCAPE = "\u001b";

/** Returns what `npm test` prints to stdout, a pipe, for one small file. */
async function printed(env: Readonly<Record<string, string>>): Promise<string> {
  // Variables of this Vitest worker, and its colour settings, would affect the run.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|VITEST|NODE_ENV|CI$|GITHUB_|NO_COLOR|FORCE_COLOR)/i.test(name),
  );
  const run = spawn("npm", ["test", "--", "schema/src/domain/policy.test.ts"], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...Object.fromEntries(inherited), TERM: "xterm-256color", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return text(run.stdout);
}

describe("npm test", () => {
  it.each([
    ["no colours into a pipe", {}, false],
    ["colours into a pipe with FORCE_COLOR", { FORCE_COLOR: "1" }, true],
    ["colours with an empty NO_COLOR", { NO_COLOR: "", FORCE_COLOR: "1" }, true],
    ["no colours with NO_COLOR and FORCE_COLOR", { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
  ])("prints %s", async (_, env, coloured) => {
    const output = await printed(env);
    expect(output).toContain("1 passed");
    expect(output.includes(ESCAPE)).toBe(coloured);
  });
});
