import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import type { Tierkeep } from "@tierkeep/sdk";
import { ArtifactNotFoundError } from "@tierkeep/sdk";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { artifactKeyOf, type KeyOptions, keyOptions } from "../../options/key.ts";
import type { Output } from "../../output/output.ts";
import { formatAge, formatBytes, formatInstant } from "../../output/quantity.ts";
import { formatNext } from "./artifact-table.ts";

const EXAMPLES = `
Examples:
  tierkeep stat acme/weekly/report.md
  tierkeep stat acme/weekly/report.md --json
`;

export function configure(command: Command, run: Run): void {
  keyOptions(command)
    .description("Shows the details of an artifact: its tier, size, age, next transition and metadata.")
    .addHelpText("after", EXAMPLES);
  clientOptions(command).action((text: string | undefined, options: KeyOptions & ClientOptions) => {
    const key = artifactKeyOf(text, options);
    return run(() =>
      runAsClient(options, (tierkeep, output) => showArtifact(tierkeep, key, output), "reads"),
    );
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
  row("size", sizeBytes < 1_000 ? formatBytes(sizeBytes) : `${formatBytes(sizeBytes)} (${sizeBytes} bytes)`);
  row("age", formatAge(artifact.ageDays));
  row("next", formatNext(artifact));
  if (artifact.damagedAt !== null)
    row("bytes", style.red(`found damaged or missing on ${formatInstant(artifact.damagedAt)}`));
  row("content type", artifact.contentType);
  row("SHA-256", artifact.checksum);
  row("created", formatInstant(artifact.createdAt));
  row("modified", formatInstant(artifact.modifiedAt));
  if (promotedAt !== null)
    row("moved", `${formatInstant(promotedAt)}, from ${promotedFrom ?? "another tier"}`);
  for (const [name, value] of Object.entries(artifact.metadata)) {
    row("metadata", `${name} = ${typeof value === "string" ? value : JSON.stringify(value)}`);
  }
  return 0;
}

export function noArtifact(key: ArtifactKey): ArtifactNotFoundError {
  return new ArtifactNotFoundError(
    "ARTIFACT_NOT_FOUND",
    `There is no artifact ${keyText(key)}. tierkeep ls ${key.tenantId}/${key.workflowId} lists all artifacts of its workflow.`,
  );
}
