import { keyText } from "@tierkeep/schema/domain/keys";
import type { DamagedArtifact } from "../../../backup/manifest.ts";
import type { Output } from "../../output/output.ts";

const PROBLEMS = {
  MISSING: "its bytes are missing",
  DAMAGED: "its bytes differ from those that were written",
  UNREADABLE: "the disk cannot read its bytes",
} as const satisfies Record<DamagedArtifact["problem"], string>;

/** Lists the damaged artifacts of a backup, each with its problem. */
export function showDamaged(damaged: readonly DamagedArtifact[], { text, style }: Output): void {
  for (const artifact of damaged) text(style.red(`${keyText(artifact)}: ${PROBLEMS[artifact.problem]}`));
}
