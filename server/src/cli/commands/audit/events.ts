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
With --json each event is a line. With --follow the connection is taken up again whenever it is lost, and no event is
missed; Ctrl-C ends it, with exit code 0.

Examples:
  tierkeep events --since 2h --type artifact_purged --type purged_from_cold
  tierkeep events --follow --tenant acme --json | jq .artifactId
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Shows the log of every step, newest last.")
    .option("--follow", "go on with what happens from now on")
    .option("--show <n>", "only the newest n (default: 20; with --since all)", countOf)
    .option("--since <when>", "only from then on: so long ago (2h, 30m, 7d), or an instant", instantOf)
    .option("--tenant <tenant>", "only of this tenant")
    .addOption(repeatableOption("--type <type>", "only of this type", typeOf, TYPES))
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
