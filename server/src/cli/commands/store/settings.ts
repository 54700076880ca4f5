import type { Command } from "commander";
import { connect } from "../../../app/connect.ts";
import { storePaths } from "../../../app/embedded/store-files.ts";
import { readConfig } from "../../../app/read-config.ts";
import { readStoreFile } from "../../../app/settings/config-file.ts";
import { type ShownSetting, shownSettings } from "../../../app/settings/shown.ts";
import { STORE_SETTINGS } from "../../../config/store-settings.ts";
import { CONFIRM_RETENTION_PATH } from "../../../http/auth/owner-challenge.ts";
import { processOutput } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { interruption } from "../../interruption.ts";
import type { Output } from "../../output/output.ts";
import { formatInstant } from "../../output/quantity.ts";

interface Options {
  readonly json?: true;
}

const HELP = `
These settings belong to the store that STORAGE_BASE_PATH names:
${STORE_SETTINGS.join(", ")}.
Every command uses the stored values and refuses an environment with other values. To change a setting, start tierkeep
serve with the new value. Each change is an event (SETTING_CHANGED).

After COLD_RETENTION_DAYS is shortened, purges use the longer value for another 24 hours. "settings confirm" makes them
use the new value immediately.

Examples:
  tierkeep settings
  tierkeep settings --json
  tierkeep settings confirm
`;

const CONFIRM_HELP = `
Example:
  tierkeep settings confirm
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Shows the settings that are stored with the store, or confirms a shortened retention.")
    .option("--json", "write JSON to stdout")
    .addHelpText("after", HELP)
    .action((options: Options) => run(() => withStore(options, showSettings)));
  command
    .command("confirm")
    .description("Makes purges use a shortened COLD_RETENTION_DAYS immediately, not after 24 hours.")
    .option("--json", "write JSON to stdout")
    .addHelpText("after", CONFIRM_HELP)
    .action((_options: Options, confirm: Command) =>
      run(() => withStore(confirm.optsWithGlobals(), confirmRetention)),
    );
}

interface OpenStore {
  /** Sends a POST request to the server that owns the store, which may be this process. */
  readonly post: (path: string) => Promise<Response>;
  readonly settings: () => readonly ShownSetting[];
}

async function withStore(
  { json }: Options,
  work: (store: OpenStore, output: Output) => Promise<number>,
): Promise<number> {
  const output = processOutput(json);
  using interrupted = interruption(null);
  const config = readConfig();
  const connection = await connect(config, { opening: "use", signal: interrupted.signal });
  try {
    const store: OpenStore = {
      post: (path) => connection.fetch(new URL(path, connection.url).href, { method: "POST" }),
      settings: () => shownSettings(config.storageBasePath, readStoreFile(storePaths(config)), Date.now()),
    };
    return await work(store, output);
  } finally {
    await connection.close();
  }
}

async function showSettings({ settings }: OpenStore, output: Output): Promise<number> {
  const columns = [{ head: "setting" }, { head: "from" }, { head: "value", narrow: "stay" }] as const;
  await output.list(columns, settings(), (setting) => [setting.name, setting.from, shownValue(setting)]);
  return 0;
}

function shownValue({ value, fingerprint, pending }: ShownSetting): string {
  if (fingerprint !== null) return `${value} (key ${fingerprint})`;
  if (pending === null) return value;
  return `${value} (not confirmed: purges use ${pending.inForce} until ${formatInstant(pending.until)})`;
}

async function confirmRetention({ post, settings }: OpenStore, output: Output): Promise<number> {
  const response = await post(CONFIRM_RETENTION_PATH);
  if (!response.ok) throw new Error(`The server responded with ${response.status}: ${await response.text()}`);
  const { confirmed } = (await response.json()) as { readonly confirmed: boolean };
  output.value({ confirmed });
  const value = settings().find(({ name }) => name === "COLD_RETENTION_DAYS")?.value;
  output.text(
    confirmed
      ? `COLD_RETENTION_DAYS ${value} is confirmed. Purges use it from now on.`
      : "No shortened retention waits for confirmation.",
  );
  return 0;
}
