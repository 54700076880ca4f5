import { spawn } from "node:child_process";
import process from "node:process";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, processOutput } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { serverEndpoint } from "../../server-endpoint.ts";

const HELP = `
It needs a server that runs. The address goes to stdout, also where there is no browser to open it in.

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
  if (browser === null) output.note("There is no display here to open it on.");
  else if (!(await started(browser, url))) output.note("No browser could be started here; open it yourself.");
  return 0;
}

/** The command that opens a URL; null: nobody would see it. */
function browserOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): readonly [string, ...string[]] | null {
  if (platform === "darwin") return ["open"];
  // `start` is the shell's own, and takes its first quoted argument for a title.
  if (platform === "win32") return ["cmd", "/c", "start", '""'];
  return env.DISPLAY || env.WAYLAND_DISPLAY ? ["xdg-open"] : null;
}

/** Whether there was such a command. It is left to itself: a browser that it starts outlives this command. */
function started([file, ...args]: readonly [string, ...string[]], url: string): Promise<boolean> {
  const child = spawn(file, [...args, url], { detached: true, stdio: "ignore" });
  child.unref();
  return new Promise((resolve) => {
    child.once("spawn", () => resolve(true)).once("error", () => resolve(false));
  });
}
