import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { requireIdentifier } from "@tierkeep/schema/domain/identifiers";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import { createTierkeep } from "@tierkeep/sdk";
import { type Command, InvalidArgumentError } from "commander";
import { connect } from "../../../app/connect.ts";
import { readConfig } from "../../../app/read-config.ts";
import { segmentNumberOf } from "../../../audit/log-names.ts";
import { makeDirectories } from "../../../files/make-directories.ts";
import { processOutput } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import type { Output } from "../../output/output.ts";
import { counted, formatBytes } from "../../output/quantity.ts";
import { shellWord } from "../../output/text.ts";
import { DemoClock } from "./demo/clock.ts";
import { DemoFailure } from "./demo/library.ts";
import { DEMO_POLICY, type DemoOptions, DemoStory, type DemoTally, daysToAdvance } from "./demo/story.ts";

interface Options extends DemoOptions {
  readonly dir?: string;
}

const MAX_COUNT = 10_000;

const HELP = `
Each demo creates a new store and keeps it. The output says where it is and how to serve it.

Exit codes: 0 all checks passed, 7 bytes changed, 1 another check failed.

Examples:
  tierkeep demo --count 50 --force-age
  tierkeep demo --count 25 --force-age --dry-run --tenant acme
  npm run demo -- --no-force-age
`;

export function configure(command: Command, run: Run): void {
  command
    .description(
      "Moves sample files from hot to purged in a new store, and verifies every byte at each stage.",
    )
    .option("--count <n>", "number of documents", countOf, 50)
    .option("--force-age", "advance the store's clock, so that the documents age", false)
    .option("--no-force-age", "override an earlier --force-age, such as that of npm run demo")
    .option("--dry-run", "after writing, only show what would happen", false)
    .option("--tenant <tenant>", "tenant of the documents", "demo")
    .option(
      "--dir <folder>",
      "folder to create the store in (default: the system's folder for temporary files)",
    )
    .addHelpText("after", HELP)
    .action((options: Options) => run(() => demo(options)));
}

function countOf(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MAX_COUNT) {
    throw new InvalidArgumentError(`Give a number from 1 to ${MAX_COUNT}.`);
  }
  return count;
}

async function demo(options: Options): Promise<number> {
  requireIdentifier("tenantId", options.tenant, "--tenant");
  const output = processOutput();
  const parent = resolve(options.dir ?? tmpdir());
  await makeDirectories(parent);
  const folder = await mkdtemp(join(parent, "tierkeep-demo-"));
  const store = { STORAGE_BASE_PATH: join(folder, "artifacts"), LOG_DIR: join(folder, "logs") };
  // The demo ignores the environment, so it runs the same everywhere.
  const config = readConfig({
    ...store,
    HOT_RETENTION_DAYS: String(DEMO_POLICY.hotDays),
    WARM_RETENTION_DAYS: String(DEMO_POLICY.warmDays),
    COLD_RETENTION_DAYS: String(DEMO_POLICY.coldDays),
  });
  output.text(`The store of this demo: ${folder}`);

  const clock = new DemoClock(-daysToAdvance(options));
  const connection = await connect(config, { clock });
  const connected = createTierkeep({ url: connection.url, fetch: connection.fetch });
  const story = new DemoStory(connected, clock, options, output);
  let failure: DemoFailure | null = null;
  let events = 0;
  try {
    try {
      await story.run();
    } catch (error) {
      if (!(error instanceof DemoFailure)) throw error;
      failure = error;
    }
    const history = await connected.lifecycleEventHistory({ first: 0, withTotalCount: true });
    events = history.totalCount ?? 0;
  } finally {
    await connection.close();
  }
  const logged = await loggedLines(store.LOG_DIR);
  failure ??=
    logged === events ? null : new DemoFailure(`The audit log has ${logged} lines for ${events} events.`);
  summarise(story.tally, events, output);
  output.text(`audit log: ${store.LOG_DIR}`);
  const settings = Object.entries(store).map(([name, value]) => `${name}=${shellWord(value)}`);
  output.text(`to serve this store: ${settings.join(" ")} npm start`);
  if (failure === null) return 0;
  output.note(output.style.red(`tierkeep: ${failure.message}`));
  return failure.damaged ? REFUSALS.CHECKSUM_MISMATCH.exit : REFUSALS.INTERNAL.exit;
}

function summarise(tally: DemoTally, events: number, { text, style }: Output): void {
  const { written, moved, restored, purged, verifiedBytes } = tally;
  text("");
  text(
    style.bold(
      `${written} written, ${counted(moved, "move")} to a colder tier, ${restored} restored, ${purged} purged; ` +
        `${formatBytes(verifiedBytes)} read back and verified; ${counted(events, "event")} in the log`,
    ),
  );
}

async function loggedLines(folder: string): Promise<number> {
  let lines = 0;
  for (const name of await readdir(folder)) {
    if (segmentNumberOf(name) !== null)
      lines += (await readFile(join(folder, name), "utf8")).split("\n").length - 1;
  }
  return lines;
}
