import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { keyText } from "@tierkeep/schema/domain/keys";
import type { Artifact } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import { counted, shownAge, shownBytes } from "../../output/quantity.ts";

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

const WHAT: Readonly<Record<string, string>> = {
  PROMOTE_TO_WARM: "WARM",
  PROMOTE_TO_COLD: "COLD",
  PURGE: "purged",
};

/** What the policy does to an artifact next, and when: "WARM in 3 d", "purged at the next run", "stays". */
export function shownNext({ nextTransition, ageSince, ageDays }: Artifact): string {
  if (nextTransition === null) return "stays";
  // The server's clock, not ours: its age is as of then.
  const now = Date.parse(ageSince) + ageDays * DAY_MS;
  const days = (Date.parse(nextTransition.at) - now) / DAY_MS;
  const what = WHAT[nextTransition.action] ?? nextTransition.action;
  return days > 0 ? `${what} in ${shownAge(days)}` : `${what} at the next run`;
}
