import { keyText } from "@tierkeep/schema/domain/keys";
import type { Artifact } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import { counted, shownAge, shownBytes } from "../../output/quantity.ts";
import { shownNext } from "./shown-next.ts";

/** Lists artifacts, however many, as they come. Returns how many there were. */
export async function listArtifacts(
  artifacts: AsyncIterable<Artifact>,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  let bytes = 0;
  const count = await output.list(
    [
      { head: "artifact", narrow: "shorten" },
      { head: "tier" },
      { head: "size", align: "right", least: 8 },
      { head: "age", align: "right", least: 7 },
      { head: "next" },
    ],
    artifacts,
    (artifact) => {
      bytes += artifact.sizeBytes;
      return [
        keyText(artifact),
        artifact.tier,
        shownBytes(artifact.sizeBytes),
        shownAge(artifact.ageDays),
        artifact.damagedAt === null ? shownNext(artifact) : { text: "damaged", style: output.style.red },
      ];
    },
    signal,
  );
  // Beside a pipe, as in `tierkeep ls | head`, the line would stand amid what the other program prints.
  if (!output.json && (output.isTerminal || count === 0)) {
    output.talk(`${counted(count, "artifact")}, ${shownBytes(bytes)}`);
  }
  return count;
}
