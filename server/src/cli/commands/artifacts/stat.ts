import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import type { Tierkeep } from "@tierkeep/sdk";
import { ArtifactNotFoundError } from "@tierkeep/sdk";
import type { Command } from "commander";
import { asClient, type ClientOptions, clientOptions } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { artifactKeyOf, type KeyOptions, keyOptions } from "../../options/key.ts";
import type { Output } from "../../output/output.ts";
import { shownAge, shownBytes, shownInstant } from "../../output/quantity.ts";
import { shownNext } from "./artifact-table.ts";

const EXAMPLES = `
Examples:
  tierkeep stat acme/weekly/report.md
  tierkeep stat acme/weekly/report.md --json
`;

export function configure(command: Command, run: Run): void {
  keyOptions(command)
    .description("Shows what is known of an artifact: where it is, how large and how old, what comes next.")
    .addHelpText("after", EXAMPLES);
  clientOptions(command).action((text: string | undefined, options: KeyOptions & ClientOptions) => {
    const key = artifactKeyOf(text, options);
    return run(() => asClient(options, (tierkeep, output) => showArtifact(tierkeep, key, output), "reads"));
  });
}

/** @throws ArtifactNotFoundError */
export async function showArtifact(tierkeep: Tierkeep, key: ArtifactKey, output: Output): Promise<number> {
  const artifact = await tierkeep.artifact(key);
  if (artifact === null) throw noArtifact(key);
  output.value(artifact);
  const { style } = output;
  const row = (what: string, value: string) => output.text(`${what.padEnd(14)}${value}`);
  const { sizeBytes, promotedAt, promotedFrom } = artifact;
  output.text(style.bold(keyText(artifact)));
  row("tier", artifact.tier);
  row("size", sizeBytes < 1_000 ? shownBytes(sizeBytes) : `${shownBytes(sizeBytes)} (${sizeBytes} bytes)`);
  row("age", shownAge(artifact.ageDays));
  row("next", shownNext(artifact));
  if (artifact.damagedAt !== null)
    row("bytes", style.red(`found damaged or gone on ${shownInstant(artifact.damagedAt)}`));
  row("content type", artifact.contentType);
  row("SHA-256", artifact.checksum);
  row("created", shownInstant(artifact.createdAt));
  row("modified", shownInstant(artifact.modifiedAt));
  if (promotedAt !== null)
    row("moved", `${shownInstant(promotedAt)}, from ${promotedFrom ?? "another tier"}`);
  for (const [name, value] of Object.entries(artifact.metadata)) {
    row("metadata", `${name} = ${typeof value === "string" ? value : JSON.stringify(value)}`);
  }
  return 0;
}

export function noArtifact(key: ArtifactKey): ArtifactNotFoundError {
  return new ArtifactNotFoundError(
    "ARTIFACT_NOT_FOUND",
    `There is no artifact ${keyText(key)}. tierkeep ls ${key.tenantId}/${key.workflowId} lists what there is.`,
  );
}
