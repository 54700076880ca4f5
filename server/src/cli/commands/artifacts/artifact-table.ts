import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import type { Artifact, FolderEntry } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import { counted, formatAge, formatBytes } from "../../output/quantity.ts";

/** Lists any number of artifacts as they arrive. Returns their count. */
export function listArtifacts(
  artifacts: AsyncIterable<Artifact>,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  return listRows(artifacts, (artifact) => artifact, "artifact", output, signal);
}

/** Lists the folders and artifacts directly in a folder of this workflow. Returns their count. */
export function listFolder(
  { tenantId, workflowId }: Pick<ArtifactKey, "tenantId" | "workflowId">,
  entries: AsyncIterable<FolderEntry>,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const shown = (entry: FolderEntry) =>
    entry.__typename === "Folder" ? `${tenantId}/${workflowId}/${entry.prefix}` : entry;
  return listRows(entries, shown, "item", output, signal);
}

/** @param shown returns the artifact of a row, or the text of another row */
async function listRows<Row>(
  rows: AsyncIterable<Row>,
  shown: (row: Row) => Artifact | string,
  noun: string,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  let bytes = 0;
  const count = await output.list(
    [
      { head: "artifact", narrow: "shorten" },
      { head: "tier" },
      { head: "size", align: "right", minWidth: 8 },
      { head: "age", align: "right", minWidth: 7 },
      { head: "next" },
    ],
    rows,
    (row) => {
      const artifact = shown(row);
      if (typeof artifact === "string") return [artifact, "", "", "", ""];
      bytes += artifact.sizeBytes;
      return [
        keyText(artifact),
        artifact.tier,
        formatBytes(artifact.sizeBytes),
        formatAge(artifact.ageDays),
        artifact.damagedAt === null ? formatNext(artifact) : { text: "damaged", style: output.style.red },
      ];
    },
    signal,
  );
  // With a pipe, as in `tierkeep ls | head`, this line would appear between lines of the other program.
  if (!output.json && (output.isTerminal || count === 0)) {
    output.note(`${counted(count, noun)}, ${formatBytes(bytes)}`);
  }
  return count;
}

const WHAT: Readonly<Record<string, string>> = {
  PROMOTE_TO_WARM: "WARM",
  PROMOTE_TO_COLD: "COLD",
  PURGE: "purged",
};

/** Formats an artifact's next transition: "WARM in 3 d", "purged at the next run", "stays". */
export function formatNext({ nextTransition, ageSince, ageDays }: Artifact): string {
  if (nextTransition === null) return "stays";
  // By the server's clock, which the age was computed with.
  const now = Date.parse(ageSince) + ageDays * DAY_MS;
  const days = (Date.parse(nextTransition.at) - now) / DAY_MS;
  const what = WHAT[nextTransition.action] ?? nextTransition.action;
  return days > 0 ? `${what} in ${formatAge(days)}` : `${what} at the next run`;
}
