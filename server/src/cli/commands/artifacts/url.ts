import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Tierkeep } from "@tierkeep/sdk";
import { type Command, InvalidArgumentError } from "commander";
import { asClient, type ClientOptions, clientOptions } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { artifactKeyOf, type KeyOptions, keyOptions } from "../../options/key.ts";
import { checksumOption, daysOf, tierOption } from "../../options/values.ts";
import type { Output } from "../../output/output.ts";
import { shownInstant } from "../../output/quantity.ts";
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
The URL goes to stdout. Until it expires it works without a token, for everyone who has it and can reach the server at the
address that this command uses. It needs a running server.

Examples:
  curl -O "$(tierkeep url acme/weekly/report.md)"
  curl -T report.md "$(tierkeep url acme/weekly/report.md --upload --expires 1h)"
`;

const UPLOAD_ONLY = ["tier", "contentType", "checksum", "ifAbsent"] as const;

export function configure(command: Command, run: Run): void {
  keyOptions(command)
    .description("Prints a signed URL that downloads an artifact, or that uploads one, without a token.")
    .option("--upload", "a URL to PUT the content to, in place of one to GET it from")
    .option("--expires <time>", "how long it works, such as 10m; at most 1h (default: 5m)", secondsOf)
    .addOption(tierOption("--tier <tier>", "with --upload: the tier to write to (default: hot)"))
    .option("--content-type <type>", "with --upload: the artifact's media type")
    .addOption(checksumOption("--checksum <sha256>", "with --upload: only content of this checksum"))
    .option("--if-absent", "with --upload: only if there is no such artifact yet")
    .addHelpText("after", HELP);
  clientOptions(command).action((text: string | undefined, options: Options) => {
    const key = artifactKeyOf(text, options);
    const unused = UPLOAD_ONLY.find((name) => options[name] !== undefined);
    if (!options.upload && unused !== undefined) {
      const flag = `--${unused.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      throw new Refused("BAD_USER_INPUT", `${flag} is for uploads. Add --upload, or leave it out.`);
    }
    return run(async () => {
      // A store that this command opened itself would be served no longer than the command runs.
      await serverEndpoint(options.url);
      return asClient(options, (tierkeep, output) => printUrl(tierkeep, key, options, output), "reads");
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
  if (!output.json) output.talk(`It works until ${shownInstant(signed.expiresAt)}.`);
  return 0;
}

const MAX_SECONDS = 3_600;

/** @throws InvalidArgumentError */
function secondsOf(text: string): number {
  const seconds = Math.round(daysOf(text) * 86_400);
  if (seconds < 1 || seconds > MAX_SECONDS) throw new InvalidArgumentError("Give 1s to 1h, such as 10m.");
  return seconds;
}
