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

/** Maximum time for requests and jobs to finish during a shutdown. */
const SHUTDOWN_MS = 30_000;

const SYSTEM: Principal = { actor: "system", role: "ADMIN", tenants: null };

/** Maximum time to write the last lines of the log, if its reader is slow. */
const FLUSH_MS = 1000;

export function configure(command: Command, run: Run): void {
  command
    .description("Opens the store and serves it until SIGTERM, SIGINT or SIGHUP.")
    .option(
      "--without-migration-copy",
      "change the catalog of an older version without a copy, for a disk that has no space for it",
    )
    .addHelpText("after", settingsHelp())
    .action(({ withoutMigrationCopy = false }: Options) => run(() => serve(!withoutMigrationCopy)));
}

interface Options {
  readonly withoutMigrationCopy?: boolean;
}

async function serve(migrationCopy: boolean): Promise<number> {
  const config = readConfig();
  const stdout = new LineOutput(1);
  const stderr = logOutput();
  const log = createLog(config.logLevel, stderr);
  const stopping = stopSignal();
  const { host, port } = config;
  const droppedLogLines = () => stderr.dropped;
  const owned = await own(config, {
    opening: "serve",
    migrationCopy,
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

/** Resolves with the first signal to stop. A second signal ends the process immediately. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    // A terminal sends SIGHUP when it closes. The server then releases the store as for SIGTERM.
    const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
    for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(128 + numbers[signal]);
        stopping = true;
        resolve(signal);
      });
    }
  });
}

function welcome({ paths }: Store, url: string, { auth, graphiql }: Config): string {
  const { origin } = new URL(url);
  const token = auth !== null ? ' -H "Authorization: Bearer $TOKEN"' : "";
  return `
This is a new store. Its artifacts are in ${paths.root}, the audit log in ${paths.logs}.
Things to try:
${graphiql ? `  - open ${origin}/ in a browser: GraphiQL, with tabs to write an artifact and watch its event\n` : ""}  - curl${token} -T FILE ${origin}/artifacts/acme/nightly/FILE
  - ${shownCommand()} lifecycle run --dry-run, in another terminal and the same folder

`;
}

/** Returns how to call the command from here: after `npm start` in a clone, no `tierkeep` is on the PATH. */
function shownCommand(): string {
  return process.env.npm_lifecycle_event === "start" ? "npm run -s tierkeep --" : "tierkeep";
}

function unindexed({ unindexedTenants: count, paths }: Store): string {
  const folders = count === 1 ? "a tenant has folders" : `${count} tenants have folders`;
  return `The catalog is empty, but ${folders} in ${paths.root}. To adopt their artifacts: ${shownCommand()} reindex\n`;
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
At each start, serve stores those of them that are set in the environment. For the others, it uses the stored values.
The defaults of these settings apply only when a store is created. tierkeep settings shows the stored values.

Examples:
  tierkeep serve
  PORT=0 STORAGE_BASE_PATH=/srv/store LOG_DIR=/srv/log tierkeep serve
  HOT_RETENTION_DAYS=0.5 COLD_RETENTION_DAYS=never LIFECYCLE_SCHEDULE="0 3 * * *" tierkeep serve
`;
}
