import { keyText } from "@tierkeep/schema/domain/keys";
import type { DamagedArtifact } from "../../../backup/manifest.ts";
import type { Output } from "../../output/output.ts";

const PROBLEMS = {
  MISSING: "its bytes are missing",
  DAMAGED: "its bytes are not the ones that were written",
  UNREADABLE: "its bytes cannot be read: the disk fails (EIO)",
} as const satisfies Record<DamagedArtifact["problem"], string>;

export function showDamaged(damaged: readonly DamagedArtifact[], { text, style }: Output): void {
  for (const artifact of damaged) text(style.red(`${keyText(artifact)}: ${PROBLEMS[artifact.problem]}`));
}
