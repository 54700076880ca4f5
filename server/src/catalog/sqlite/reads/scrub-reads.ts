import type { ArtifactRow, JobPosition, ScrubState } from "../../rows.ts";
import type { Connection } from "../connection.ts";
import { ARTIFACT_COLUMNS, artifactRow } from "../rows/artifact-row.ts";

const NAMES = "CROSS JOIN workflow w ON w.id = a.workflow CROSS JOIN tenant t ON t.id = w.tenant";

/** Reads for the scrubber and for repairs, on one connection. */
export class ScrubReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  scrubState(): ScrubState {
    const [pass, position] = this.#connection
      .statement("SELECT pass, position FROM scrub")
      .get() as unknown as [number, string];
    return { pass, position: JSON.parse(position) as JobPosition };
  }

  artifactsAfter(row: number, limit: number): readonly ArtifactRow[] {
    return this.#connection
      .statement(`SELECT ${ARTIFACT_COLUMNS} FROM artifact a ${NAMES} WHERE a.id > ? ORDER BY a.id LIMIT ?`)
      .all(row, limit)
      .map((cells) => artifactRow(cells));
  }

  damagedAfter(row: number, limit: number): readonly ArtifactRow[] {
    return this.#connection
      .statement(
        `SELECT ${ARTIFACT_COLUMNS} FROM artifact a INDEXED BY artifact_damaged ${NAMES}
         WHERE a.damaged_at IS NOT NULL AND a.id > ? ORDER BY a.id LIMIT ?`,
      )
      .all(row, limit)
      .map((cells) => artifactRow(cells));
  }

  damagedCount(): number {
    const sql = "SELECT count(*) FROM artifact INDEXED BY artifact_damaged WHERE damaged_at IS NOT NULL";
    return this.#connection.statement(sql).get()?.[0] as number;
  }
}
