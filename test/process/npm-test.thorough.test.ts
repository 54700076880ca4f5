import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ESCAPE = "\u001b";

/** What `npm test` prints on stdout for one small file, into a pipe. */
async function printed(env: Readonly<Record<string, string>>): Promise<string> {
  // A worker's own variables, and colours that the tests were started with, would change what the run does.
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
    ["colours where NO_COLOR is empty", { NO_COLOR: "", FORCE_COLOR: "1" }, true],
    ["no colours with NO_COLOR beside FORCE_COLOR", { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
  ])("prints %s", async (_, env, coloured) => {
    const output = await printed(env);
    expect(output).toContain("1 passed");
    expect(output.includes(ESCAPE)).toBe(coloured);
  });
});
