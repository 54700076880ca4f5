import { type ArtifactKey, keyOf, keyText } from "@tierkeep/schema/domain/keys";
import type { Artifact, ArtifactFilter, Tierkeep } from "@tierkeep/sdk";
import { answered, DIALOGUE } from "../../output/confirm.ts";
import { firstOf } from "../../output/first-of.ts";
import type { Output } from "../../output/output.ts";
import { shownAge, shownBytes } from "../../output/quantity.ts";
import { visible } from "../../output/text.ts";
import { nothingFound } from "./restore-artifacts.ts";

/** As many as one request restores by key, and more than anybody reads through. */
const MAX_CHOICES = 500;

/** Lets somebody at a terminal choose among what the filter finds. @throws AbortError when interrupted instead */
export async function chosenKeys(
  tierkeep: Tierkeep,
  where: ArtifactFilter,
  output: Output,
  signal: AbortSignal,
): Promise<readonly ArtifactKey[]> {
  // By a loop, which makes pages smaller that are refused as too large.
  const nodes: Artifact[] = [];
  let hasMore = false;
  for await (const artifact of firstOf(tierkeep.artifacts({ where, first: MAX_CHOICES }), MAX_CHOICES + 1)) {
    hasMore = nodes.length === MAX_CHOICES;
    if (!hasMore) nodes.push(artifact);
  }
  if (nodes.length === 0) throw nothingFound(where);
  if (hasMore) {
    output.talk(
      `These are the first ${MAX_CHOICES}. --workflow, --prefix, --older-than and --meta restore all that they find.`,
    );
  }
  const { autocompleteMultiselect } = await import("@clack/prompts");
  const choices = nodes.map((artifact, index) => ({
    value: index,
    label: `${visible(keyText(artifact))} (${artifact.tier}, ${shownBytes(artifact.sizeBytes)}, ${shownAge(artifact.ageDays)} old)`,
  }));
  const chosen = await autocompleteMultiselect({
    message: "Which artifacts to restore? Space or Tab selects, arrows move, typing searches.",
    options() {
      // The prompt asks for its options at every key. It lets Space select once an arrow key was pressed, and types a
      // blank until then. Where there is no search text a blank would find nothing: Space selects from the start.
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
