import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Tierkeep } from "@tierkeep/sdk";
import { type Command, InvalidArgumentError } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { artifactKeyOf, type KeyOptions, keyOptions } from "../../options/key.ts";
import { checksumOption, daysOf, tierOption } from "../../options/values.ts";
import type { Output } from "../../output/output.ts";
import { formatInstant } from "../../output/quantity.ts";
import { serverEndpoint } from "../../server-endpoint.ts";
import { noArtifact } from "./stat.ts";

interface Options extends KeyOptions, ClientOptions {
  readonly upload?: true;
  /** In seconds. */
  readonly expires?: number;
  readonly tier?: Tier;
  readonly contentType?: string;
  readonly checksum?: string;
  readonly ifAbsent?: true;
}

const HELP = `
The URL is printed to stdout. Until it expires, everyone who has it can use it without a token. It contains the
server address that this command uses. The command needs a running server.

Examples:
  curl -O "$(tierkeep url acme/weekly/report.md)"
  curl -T report.md "$(tierkeep url acme/weekly/report.md --upload --expires 1h)"
`;

const UPLOAD_ONLY = ["tier", "contentType", "checksum", "ifAbsent"] as const;

export function configure(command: Command, run: Run): void {
  keyOptions(command)
    .description("Prints a signed URL that downloads or uploads an artifact without a token.")
    .option("--upload", "print a URL to PUT the content to, instead of one to GET it from")
    .option("--expires <time>", "how long the URL is valid, such as 10m; at most 1h (default: 5m)", secondsOf)
    .addOption(tierOption("--tier <tier>", "with --upload: the tier to write to (default: hot)"))
    .option("--content-type <type>", "with --upload: the artifact's media type")
    .addOption(checksumOption("--checksum <sha256>", "with --upload: only content with this checksum"))
    .option("--if-absent", "with --upload: only if the artifact does not exist yet")
    .addHelpText("after", HELP);
  clientOptions(command).action((text: string | undefined, options: Options) => {
    const key = artifactKeyOf(text, options);
    const unused = UPLOAD_ONLY.find((name) => options[name] !== undefined);
    if (!options.upload && unused !== undefined) {
      const flag = `--${unused.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      throw new Refused("BAD_USER_INPUT", `${flag} is for uploads. Add --upload, or remove ${flag}.`);
    }
    return run(async () => {
      // If this command opened the store itself, the URL would stop working when the command ends.
      await serverEndpoint(options.url);
      return runAsClient(options, (tierkeep, output) => printUrl(tierkeep, key, options, output), "reads");
    });
  });
}

async function printUrl(
  tierkeep: Tierkeep,
  key: ReturnType<typeof artifactKeyOf>,
  { upload, expires: expiresInSeconds, tier, contentType, checksum, ifAbsent }: Options,
  output: Output,
): Promise<number> {
  const signed = upload
    ? await tierkeep.signedUploadUrl({
        upload: { ...key, tier, contentType, checksum, ifAbsent },
        expiresInSeconds,
      })
    : await tierkeep.signedDownloadUrl({ key, expiresInSeconds });
  if (signed === null) throw noArtifact(key);
  output.value(signed);
  output.text(signed.url);
  if (!output.json) output.note(`The URL is valid until ${formatInstant(signed.expiresAt)}.`);
  return 0;
}

const MAX_SECONDS = 3_600;

/** @throws InvalidArgumentError */
function secondsOf(text: string): number {
  const seconds = Math.round(daysOf(text) * 86_400);
  if (seconds < 1 || seconds > MAX_SECONDS) throw new InvalidArgumentError("Give 1s to 1h, such as 10m.");
  return seconds;
}
