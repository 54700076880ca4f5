import { type Command, InvalidArgumentError } from "commander";
import type { Head } from "../../../audit/verdict.ts";
import { type ClientOptions, clientOptions, processOutput, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { instantOf } from "../../options/values.ts";
import { auditExport } from "./export.ts";
import { auditVerify } from "./verify.ts";

interface VerifyCommandOptions {
  readonly logDir?: string;
  readonly publicKey?: string;
  readonly expectHead?: readonly Head[];
  readonly json?: true;
}

interface ExportCommandOptions extends ClientOptions {
  readonly since?: string;
  readonly until?: string;
  readonly tenant?: string;
  readonly output?: string;
}

const HELP = `
Examples:
  tierkeep audit verify
  tierkeep audit export --tenant acme --since 2026-01-01`;

const VERIFY_HELP = `
It reads the log's files, their checkpoints and the public key, and nothing else: no store is opened and no server asked,
so that it works on copies and on another machine.

What it finds: any byte edited, any line or file removed, put in, repeated or put in another order, and a log that was cut
back, up to the newest checkpoint that is there, or that is given with --expect-head.

What it cannot prove: whoever owns the machine and the signing key can write another log and sign it. Only a head that
was kept where they cannot write shows that. So keep the head that this command prints, and a copy of the public key,
elsewhere, and give them the next time. Nor can it prove that what was logged is what happened; and of lines that were
written before lines were chained, only that the last of them is as it was.

Exit codes: 0 everything stands, 7 something does not, 2 the options or the key are wrong, 3 there is no log there.

Examples:
  tierkeep audit verify
  tierkeep audit verify --log-dir /mnt/copy/logs --public-key kept/tierkeep.pem --expect-head 1205:4b2f…`;

const EXPORT_HELP = `
One JSON object a line, oldest first, with the keys of the audit log's lines, but for these: "cursor" stands in place of
"seq", since positions would tell how much others do; "job_id" is the API's id; and there is no "prev", since a selection
is no chain. What is to be verified is the log itself: tierkeep audit verify.

Example:
  tierkeep audit export --tenant acme --since 2026-01-01 --until 2026-04-01 --output acme-q1.jsonl`;

export function configure(command: Command, run: Run): void {
  command
    .description("Verifies the audit log, or takes a selection from it for an auditor.")
    .addHelpText("after", HELP);
  command
    .command("verify")
    .description("Verifies the audit log offline, from its files and a public key.")
    .option("--log-dir <folder>", "where the log's files are (default: the log folder of the store)")
    .option(
      "--public-key <file>",
      "the public keys of those who may have signed (default: the file beside the log)",
    )
    .option("--expect-head <seq:hash>", "a head that you kept, which must be in the log; repeatable", headsOf)
    .option("--json", "write JSON to stdout")
    .addHelpText("after", VERIFY_HELP)
    .action((options: VerifyCommandOptions) =>
      run(() =>
        auditVerify(
          { directory: options.logDir, publicKey: options.publicKey, expected: options.expectHead ?? [] },
          processOutput(options.json),
        ),
      ),
    );
  const exportCommand = command
    .command("export")
    .description("Writes events as lines of the audit log, from the API.")
    .option(
      "--since <instant>",
      "only events from then on: so long ago (2h, 30m, 7d), or a date or an instant",
      instantOf,
    )
    .option("--until <instant>", "only events before it", instantOf)
    .option("--tenant <tenant>", "only events of this tenant")
    .option("--output <file>", "write to this file, whole or not at all (default: stdout)")
    .addHelpText("after", EXPORT_HELP);
  clientOptions(exportCommand).action(
    ({ since, until, tenant, output: file, ...options }: ExportCommandOptions) =>
      run(() =>
        runAsClient(
          options,
          (tierkeep, output, signal) =>
            auditExport(tierkeep, { since, until, tenantId: tenant, file }, output, signal),
          "reads",
        ),
      ),
  );
}

function headsOf(text: string, before: readonly Head[] = []): readonly Head[] {
  const match = /^([1-9]\d{0,15}):([0-9a-f]{64})$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError(
      "Give SEQ:HASH as `tierkeep audit verify` prints it: a number, a colon, 64 hex digits.",
    );
  }
  return [...before, { seq: Number(match[1]), hash: match[2] as string }];
}
