import process from "node:process";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type { Command } from "commander";
import { type Store, StoreOwnedError } from "../../../app/embedded/store.ts";
import { type OwnedStore, own, ownedProblem } from "../../../app/owner.ts";
import { readConfig } from "../../../app/read-config.ts";
import type { Config } from "../../../config/config.ts";
import { SETTING_GROUPS } from "../../../config/settings.ts";
import { STORE_SETTINGS } from "../../../config/store-settings.ts";
import { LineOutput } from "../../../http/monitoring/line-output.ts";
import { createLog, logOutput } from "../../../http/monitoring/log.ts";
import type { Run } from "../../command.ts";
import { settingsReport } from "./settings-report.ts";
import { startFacts } from "./start-facts.ts";

/** What runs may take this long to finish once the server has been asked to stop. */
const SHUTDOWN_MS = 30_000;

const SYSTEM: Principal = { actor: "system", role: "ADMIN", tenants: null };

/** The last lines of the log may take this long, where its reader is slow. */
const FLUSH_MS = 1000;

export function configure(command: Command, run: Run): void {
  command
    .description("Opens the store and serves it until SIGTERM, SIGINT or SIGHUP.")
    .addHelpText("after", settingsHelp())
    .action(() => run(serve));
}

async function serve(): Promise<number> {
  const config = readConfig();
  const stdout = new LineOutput(1);
  const stderr = logOutput();
  const log = createLog(config.logLevel, stderr);
  const stopping = stopSignal();
  const { host, port } = config;
  const droppedLogLines = () => stderr.dropped;
  const owned = await own(config, {
    opening: "serve",
    host,
    port,
    log,
    droppedLogLines,
    schedule: true,
  }).catch(async (error: unknown) => {
    throw error instanceof StoreOwnedError ? await ownedProblem(config) : error;
  });
  if (owned.store.isNew) stderr.write(welcome(owned.store, owned.url, config));
  stderr.write(await settingsReport(owned.store));
  if (owned.store.unindexedTenants > 0) stderr.write(unindexed(owned.store));
  for (const fact of await factsOf(config, owned)) log.info(fact);
  stdout.write(`tierkeep listening on ${owned.url}\n`);
  const signal = await stopping;
  log.info({ signal }, "shutting down");
  await owned.close(Date.now() + SHUTDOWN_MS);
  log.info("stopped");
  await Promise.all([stdout.flush(FLUSH_MS), stderr.flush(FLUSH_MS)]);
  return 0;
}

async function factsOf(config: Config, { store, url }: OwnedStore): Promise<readonly string[]> {
  const { tenants, server } = store.services;
  const [retention = config.retention] = await tenants.retentionPolicies(SYSTEM, [null]);
  return startFacts({ config, retention, root: store.paths.root, url, nextRunAt: server.nextRunAt() });
}

/** Resolves with the first signal to stop; the second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    // SIGHUP comes when the terminal closes: the server lets go of the store as for SIGTERM.
    const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
    for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (asked) process.exit(128 + numbers[signal]);
        asked = true;
        resolve(signal);
      });
    }
  });
}

function welcome({ paths }: Store, url: string, { auth, graphiql }: Config): string {
  const { origin } = new URL(url);
  const token = auth !== null ? ' -H "Authorization: Bearer $TOKEN"' : "";
  return `
A new store. Its artifacts are kept in ${paths.root}, the audit log in ${paths.logs}.
Things to try:
${graphiql ? `  - open ${origin}/ in a browser: GraphiQL, with tabs to write an artifact and watch its event\n` : ""}  - curl${token} -T FILE ${origin}/artifacts/acme/nightly/FILE
  - ${shownCommand()} lifecycle run --dry-run, in another terminal and the same folder

`;
}

/** How the command is called from here: `npm start` in a clone puts no `tierkeep` on the PATH. */
function shownCommand(): string {
  return process.env.npm_lifecycle_event === "start" ? "npm run -s tierkeep --" : "tierkeep";
}

function unindexed({ unindexedTenants: count, paths }: Store): string {
  const folders = count === 1 ? "a tenant has folders" : `${count} tenants have folders`;
  return `The catalog is empty, but ${folders} in ${paths.root}. To take their artifacts up: ${shownCommand()} reindex\n`;
}

function settingsHelp(): string {
  const names = SETTING_GROUPS.flatMap(({ settings }) => Object.keys(settings));
  const width = Math.max(...names.map((name) => name.length)) + 1;
  const groups = SETTING_GROUPS.map(({ title, settings }) =>
    [
      `${title}:`,
      ...Object.entries(settings).map(
        ([name, { shownDefault, description }]) => `  ${name.padEnd(width)}${description} (${shownDefault})`,
      ),
    ].join("\n"),
  );
  return `
Environment variables configure the server. Their defaults are in parentheses.

${groups.join("\n\n")}

These settings are stored with the store: ${STORE_SETTINGS.join(", ")}.
serve writes those that the environment sets into the store, and uses the stored values of the others. Their defaults
apply to a new store only. tierkeep settings shows them.

Examples:
  tierkeep serve
  PORT=0 STORAGE_BASE_PATH=/srv/store LOG_DIR=/srv/log tierkeep serve
  HOT_RETENTION_DAYS=0.5 COLD_RETENTION_DAYS=never LIFECYCLE_SCHEDULE="0 3 * * *" tierkeep serve
`;
}
