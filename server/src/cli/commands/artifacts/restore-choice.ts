import { type ArtifactKey, keyOf, keyText } from "@tierkeep/schema/domain/keys";
import type { Artifact, ArtifactFilter, Tierkeep } from "@tierkeep/sdk";
import { answered, DIALOGUE } from "../../output/confirm.ts";
import { firstOf } from "../../output/first-of.ts";
import type { Output } from "../../output/output.ts";
import { formatAge, formatBytes } from "../../output/quantity.ts";
import { visible } from "../../output/text.ts";
import { nothingFound } from "./restore-artifacts.ts";

/** Maximum number of keys in one restore request. */
const MAX_CHOICES = 500;

/** Lets the user choose at a terminal among the artifacts that match. @throws AbortError if interrupted */
export async function chosenKeys(
  tierkeep: Tierkeep,
  where: ArtifactFilter,
  output: Output,
  signal: AbortSignal,
): Promise<readonly ArtifactKey[]> {
  // Iterating lets the SDK request smaller pages if one is refused as too large.
  const nodes: Artifact[] = [];
  let hasMore = false;
  for await (const artifact of firstOf(tierkeep.artifacts({ where, first: MAX_CHOICES }), MAX_CHOICES + 1)) {
    hasMore = nodes.length === MAX_CHOICES;
    if (!hasMore) nodes.push(artifact);
  }
  if (nodes.length === 0) throw nothingFound(where);
  if (hasMore) {
    output.note(
      `Only the first ${MAX_CHOICES} are shown. With --workflow, --prefix, --older-than or --meta, all artifacts that match are restored.`,
    );
  }
  const { autocompleteMultiselect } = await import("@clack/prompts");
  const choices = nodes.map((artifact, index) => ({
    value: index,
    label: `${visible(keyText(artifact))} (${artifact.tier}, ${formatBytes(artifact.sizeBytes)}, ${formatAge(artifact.ageDays)} old)`,
  }));
  const chosen = await autocompleteMultiselect({
    message: "Which artifacts to restore? Space or Tab selects, arrows move, typing searches.",
    options() {
      // The prompt calls this at every key press. By default Space types a blank until an arrow key was pressed, and only
      // then selects. An empty search text plus a blank would match nothing, so Space selects from the start.
      if (this.userInput === "") this.isNavigating = true;
      return choices;
    },
    required: true,
    maxItems: 12,
    signal,
    ...DIALOGUE,
  });
  const indexes = answered(chosen, signal);
  return nodes.filter((_, index) => indexes.includes(index)).map(keyOf);
}
