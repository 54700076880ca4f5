import { keyText } from "@tierkeep/schema/domain/keys";
import type { Artifact } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import { shownBytes } from "../../output/quantity.ts";

/** What a move by hand has done, or would do. */
export interface Move {
  readonly artifact: Artifact;
  readonly fromTier: string;
  readonly toTier: string;
  readonly dryRun: boolean;
}

/** @param did what it is called: "Moved", "Would restore" */
export function showMove(move: Move, did: string, output: Output): 0 {
  output.value(move);
  const { artifact, fromTier, toTier, dryRun } = move;
  output.text(
    `${did} ${keyText(artifact)} from ${fromTier} to ${toTier} ` +
      `(${shownBytes(artifact.sizeBytes)}, SHA-256 ${artifact.checksum.slice(0, 12)}…)`,
  );
  if (dryRun) output.text("Nothing was changed.");
  return 0;
}
