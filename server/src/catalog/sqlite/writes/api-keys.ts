import type { Role } from "@tierkeep/schema/domain/principal";
import type { PageWindow } from "../../catalog.ts";
import type { ApiKeyRow } from "../../rows.ts";
import type { Cell, Connection } from "../connection.ts";
import { inOrder, walk } from "../reads/page-window.ts";

const COLUMNS =
  "id, key, digest, name, role, tenants, created_at, created_by, expires_at, revoked_at, revoked_by";

/** Reads API keys on one connection. */
export class ApiKeyReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  apiKey(keyId: string): ApiKeyRow | null {
    const cells = this.#connection.statement(`SELECT ${COLUMNS} FROM api_key WHERE key = ?`).get(keyId);
    return cells === undefined ? null : apiKeyRow(cells);
  }

  /** Returns a page of keys, newest first. */
  listApiKeys(window: PageWindow<number>): readonly ApiKeyRow[] {
    const { from, until, backward, limit } = walk(window);
    const [beyond, before, direction] = backward ? [">", "<", ""] : ["<", ">", " DESC"];
    const bounds = [from === null ? "" : ` AND id ${beyond} ?`, until === null ? "" : ` AND id ${before} ?`];
    const rows = this.#connection
      .statement(
        `SELECT ${COLUMNS} FROM api_key WHERE TRUE${bounds.join("")} ORDER BY id${direction} LIMIT ?`,
      )
      .all(...[from, until].filter((bound) => bound !== null), limit);
    return inOrder(rows.map(apiKeyRow), backward);
  }

  countApiKeys(): number {
    return this.#connection.statement("SELECT count(*) FROM api_key").get()?.[0] as number;
  }
}

/** Writes API keys, for a writer. */
export class ApiKeyWrites extends ApiKeyReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super(connection);
    this.#connection = connection;
  }

  put({ apiKey, digest }: Omit<ApiKeyRow, "row">): void {
    this.#connection
      .statement(
        `INSERT INTO api_key (key, digest, name, role, tenants, created_at, created_by, expires_at, revoked_at, revoked_by)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET revoked_at = excluded.revoked_at, revoked_by = excluded.revoked_by`,
      )
      .run(
        apiKey.keyId,
        digest,
        apiKey.name,
        apiKey.role,
        apiKey.tenants === null ? null : JSON.stringify(apiKey.tenants),
        apiKey.createdAt,
        apiKey.createdBy,
        apiKey.expiresAt,
        apiKey.revokedAt,
        apiKey.revokedBy,
      );
  }
}

function apiKeyRow(cells: readonly Cell[]): ApiKeyRow {
  return {
    row: cells[0] as number,
    digest: cells[2] as string,
    apiKey: {
      keyId: cells[1] as string,
      name: cells[3] as string | null,
      role: cells[4] as Role,
      tenants: cells[5] === null ? null : (JSON.parse(cells[5] as string) as readonly string[]),
      createdAt: cells[6] as number,
      createdBy: cells[7] as string,
      expiresAt: cells[8] as number | null,
      revokedAt: cells[9] as number | null,
      revokedBy: cells[10] as string | null,
    },
  };
}
