import { spawn } from "node:child_process";
import process from "node:process";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, processOutput } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { serverEndpoint } from "../../server-endpoint.ts";

const HELP = `
The command needs a running server. It also prints the address to stdout.

Examples:
  tierkeep open
  tierkeep open --url http://127.0.0.1:4000/graphql --json
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Opens the server's page, GraphiQL, in the browser of this machine.")
    .addHelpText("after", HELP);
  clientOptions(command).action((options: ClientOptions) => run(() => open(options)));
}

async function open(options: ClientOptions): Promise<number> {
  const output = processOutput(options.json);
  const url = new URL("../../", await serverEndpoint(options.url)).href;
  output.value({ url });
  output.text(url);
  const browser = browserOf(process.platform, process.env);
  if (browser === null) output.note("There is no display here. Open the address on another machine.");
  else if (!(await started(browser, url)))
    output.note("No browser could be started. Open the address yourself.");
  return 0;
}

/** Returns the command that opens a URL; null: there is no display. */
function browserOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): readonly [string, ...string[]] | null {
  if (platform === "darwin") return ["open"];
  // `start` is built into cmd and uses its first quoted argument as a window title.
  if (platform === "win32") return ["cmd", "/c", "start", '""'];
  return env.DISPLAY || env.WAYLAND_DISPLAY ? ["xdg-open"] : null;
}

/** Starts the command detached, so that a browser can outlive this process. Returns whether it exists. */
function started([file, ...args]: readonly [string, ...string[]], url: string): Promise<boolean> {
  const child = spawn(file, [...args, url], { detached: true, stdio: "ignore" });
  child.unref();
  return new Promise((resolve) => {
    child.once("spawn", () => resolve(true)).once("error", () => resolve(false));
  });
}
