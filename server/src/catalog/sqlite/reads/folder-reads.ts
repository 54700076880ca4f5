import { compareNames } from "@tierkeep/schema/domain/keys";
import type { WorkflowName } from "@tierkeep/schema/services/tenants";
import type { FolderRow, PageWindow } from "../../catalog.ts";
import type { Connection } from "../connection.ts";
import { ARTIFACT_COLUMN_COUNT, ARTIFACT_COLUMNS, artifactRow } from "../rows/artifact-row.ts";

/** Position of the first slash of a name after the prefix; 0: none, so the name is an artifact of this level. */
const SLASH = (name: string) => `instr(substr(${name}, length(?3) + 1), '/')`;

const WITHIN = (name: string) => `substr(${name}, 1, length(?3)) = ?3`;

const FIRST_FROM = (bound: string) =>
  `(SELECT a.name FROM artifact a INDEXED BY artifact_key
    WHERE a.workflow = (SELECT id FROM place) AND a.name >= ${bound} ORDER BY a.name LIMIT 1)`;

/**
 * One level of a folder: each step finds the first name at or after a bound, so an inner folder with any number of
 * artifacts takes one step. The next bound is the least name after the entry of that name: "0" is the character after "/",
 * and U+0001 is before every character of a name.
 */
const ENTRIES = `
  WITH RECURSIVE
    place(id) AS (SELECT w.id FROM tenant t CROSS JOIN workflow w WHERE t.name = ?1 AND w.tenant = t.id AND w.name = ?2),
    step(n, name) AS (
      SELECT 1, ${FIRST_FROM("?4")}
      UNION ALL
      SELECT n + 1, ${FIRST_FROM(`CASE ${SLASH("step.name")} WHEN 0 THEN step.name || char(1)
        ELSE substr(step.name, 1, length(?3) + ${SLASH("step.name")} - 1) || '0' END`)}
      FROM step WHERE n < ?5 AND ${WITHIN("step.name")})
  SELECT ${ARTIFACT_COLUMNS}, s.name, s.n
  FROM step s CROSS JOIN place p CROSS JOIN workflow w ON w.id = p.id CROSS JOIN tenant t ON t.id = w.tenant
    LEFT JOIN artifact a ON a.workflow = w.id AND a.name = s.name AND ${SLASH("s.name")} = 0
  WHERE ${WITHIN("s.name")}`;

/** Columns after those of the artifact. */
const NAME = ARTIFACT_COLUMN_COUNT;
const N = ARTIFACT_COLUMN_COUNT + 1;

/** Reads folders of workflows on one connection. */
export class FolderReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** One statement, with one step per entry. */
  listFolder(
    { tenantId, workflowId }: WorkflowName,
    prefix: string,
    { after, limit }: Pick<PageWindow<string>, "after" | "limit">,
  ): readonly FolderRow[] {
    const beyond = after === null ? prefix : boundAfter(after);
    const from = compareNames(beyond, prefix) > 0 ? beyond : prefix;
    return this.#connection
      .statement(ENTRIES)
      .all(tenantId, workflowId, prefix, from, limit)
      .toSorted((a, b) => (a[N] as number) - (b[N] as number))
      .map((cells): FolderRow => {
        if (cells[0] !== null) return { artifact: artifactRow(cells) };
        const name = cells[NAME] as string;
        return { folder: name.slice(0, name.indexOf("/", prefix.length) + 1) };
      });
  }
}

/** Returns the least name after an entry: an artifact's id, or a folder's prefix with all that is in it. */
function boundAfter(entry: string): string {
  return entry.endsWith("/") ? `${entry.slice(0, -1)}0` : `${entry}\u0001`;
}
