import { LIFECYCLE_EVENT_TYPES, type LifecycleEventType } from "@tierkeep/schema/domain/events";
import { type Command, InvalidArgumentError } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { repeatableOption } from "../../options/repeatable.ts";
import { countOf, instantOf } from "../../options/values.ts";
import { showEvents } from "./show-events.ts";

interface Options extends ClientOptions {
  readonly follow?: true;
  readonly show?: number;
  readonly since?: string;
  readonly tenant?: string;
  readonly type?: readonly LifecycleEventType[];
}

const TYPES = LIFECYCLE_EVENT_TYPES.map((type) => type.toLowerCase());

const HELP = `
--json writes a line for each event. With --follow the command reconnects after a lost connection and misses no event.
Ctrl-C ends it with exit code 0.

Examples:
  tierkeep events --since 2h --type artifact_purged --type purged_from_cold
  tierkeep events --follow --tenant acme --json | jq .artifactId
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Shows the event log, newest events last.")
    .option("--follow", "keep showing new events")
    .option("--show <n>", "only the newest n events (default: 20; with --since: all)", countOf)
    .option(
      "--since <when>",
      "only events since then: a duration ago (2h, 30m, 7d), a date or an instant",
      instantOf,
    )
    .option("--tenant <tenant>", "only events of this tenant")
    .addOption(repeatableOption("--type <type>", "only events of this type", typeOf, TYPES))
    .addHelpText("after", HELP);
  clientOptions(command).action((options: Options) => {
    const { follow = false, since, tenant, type: types } = options;
    const show = options.show ?? (since === undefined ? 20 : Number.POSITIVE_INFINITY);
    const where = { since, tenantId: tenant, types };
    return run(() =>
      runAsClient(
        options,
        (tierkeep, output, signal) => showEvents(tierkeep, { where, show, follow, signal }, output),
        "reads",
      ),
    );
  });
}

function typeOf(text: string): LifecycleEventType {
  const wanted = text.toUpperCase().replace(/[- ]/g, "_");
  const type = LIFECYCLE_EVENT_TYPES.find((each) => each === wanted || each === `LIFECYCLE_${wanted}`);
  if (type === undefined) throw new InvalidArgumentError(`Give one of ${TYPES.join(", ")}.`);
  return type;
}
