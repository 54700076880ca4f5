import { keyText } from "@tierkeep/schema/domain/keys";
import type { Artifact } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import { formatBytes } from "../../output/quantity.ts";

/** The result of a single move, or of its dry run. */
export interface Move {
  readonly artifact: Artifact;
  readonly fromTier: string;
  readonly toTier: string;
  readonly dryRun: boolean;
}

/** Shows a move. Returns exit code 0. @param verb "Moved", "Would restore" */
export function showMove(move: Move, verb: string, output: Output): 0 {
  output.value(move);
  const { artifact, fromTier, toTier, dryRun } = move;
  output.text(
    `${verb} ${keyText(artifact)} from ${fromTier} to ${toTier} ` +
      `(${formatBytes(artifact.sizeBytes)}, SHA-256 ${artifact.checksum.slice(0, 12)}…)`,
  );
  if (dryRun) output.text("Nothing was changed.");
  return 0;
}
