import { createHash } from "node:crypto";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { ArtifactOrderField } from "@tierkeep/schema/services/artifacts";
import type { ArtifactPosition, JobStart } from "../catalog/catalog.ts";
import { canonicalJson } from "../engine/canonical-json.ts";
import { canonicalBytes, SealedNumbers } from "./sealed-number.ts";

const FINGERPRINT_BYTES = 8;

/** Encodes positions of one list as opaque cursors, and decodes them. */
export interface Cursors<Position> {
  encode(position: Position): string;
  /** @param argument path of the argument with the cursor @throws Refused CURSOR_INVALID */
  decode(cursor: string, argument: string): Position;
}

/**
 * Writes a position as JSON and reads it back. `read` gets untrusted input and returns null if it is not a
 * position.
 */
export interface PositionCodec<Position> {
  readonly write: (position: Position) => unknown;
  readonly read: (json: unknown) => Position | null;
}

/** What a cursor is valid for: one list, in one order, with one filter. */
export interface CursorScope {
  /** Name of the list, for example "artifacts". */
  readonly list: string;
  readonly order?: unknown;
  /** As the client sent it. Absent and undefined properties are equal, and their order does not matter. */
  readonly filter?: unknown;
}

/**
 * Returns cursors that hold the sort value of a row, so that rows added or removed between two reads do not
 * shift pages.
 */
export function keysetCursors<Position>(
  scope: CursorScope,
  codec: PositionCodec<Position>,
): Cursors<Position> {
  const fingerprint = createHash("sha256")
    .update(canonicalJson([scope.list, scope.order ?? null, scope.filter ?? null]))
    .digest()
    .subarray(0, FINGERPRINT_BYTES);
  return {
    encode: (position) =>
      Buffer.concat([fingerprint, Buffer.from(JSON.stringify(codec.write(position)))]).toString("base64url"),
    decode: (cursor, argument) => {
      const bytes = canonicalBytes(cursor);
      if (!bytes?.subarray(0, FINGERPRINT_BYTES).equals(fingerprint)) throw cursorInvalid(argument);
      const position = codec.read(parsedJson(bytes.subarray(FINGERPRINT_BYTES)));
      if (position === null) throw cursorInvalid(argument);
      return position;
    },
  };
}

export function cursorInvalid(argument: string, of = "this list in this order with this filter"): Refused {
  return new Refused("CURSOR_INVALID", `${argument} is not a cursor of ${of}. Start again without it.`, {
    argument,
  });
}

export const namePositions: PositionCodec<string> = {
  write: (name) => name,
  read: (json) => (isName(json) ? json : null),
};

export const keyPositions: PositionCodec<ArtifactKey> = {
  write: ({ tenantId, workflowId, artifactId }) => [tenantId, workflowId, artifactId],
  read: (json) => {
    if (!Array.isArray(json) || json.length !== 3 || !json.every(isName)) return null;
    const [tenantId, workflowId, artifactId] = json as [string, string, string];
    return { tenantId, workflowId, artifactId };
  },
};

/** Positions in a list that is sorted by an ascending number. */
export const numberPositions: PositionCodec<number> = {
  write: (number) => number,
  read: (json) => (Number.isSafeInteger(json) ? (json as number) : null),
};

/** Positions in a list of jobs, newest first. */
export const startPositions: PositionCodec<JobStart> = {
  write: ({ startedAt, id }) => [startedAt, id],
  read: (json) => {
    if (!Array.isArray(json) || json.length !== 2) return null;
    const [startedAt, id]: unknown[] = json;
    return Number.isSafeInteger(startedAt) && isName(id) ? { startedAt: startedAt as number, id } : null;
  },
};

/**
 * Returns the codec for a list of artifacts ordered by `field`. Row numbers are sealed, because they reveal how many
 * writes all tenants have made.
 */
export function artifactPositions(
  field: ArtifactOrderField,
  rows: SealedNumbers,
): PositionCodec<ArtifactPosition> {
  return field === "KEY" ? artifactKeyPositions : artifactValuePositions(rows);
}

/** Returns what seals the row numbers of a store. @param key the store's key */
export function sealedRows(key: Uint8Array): SealedNumbers {
  return new SealedNumbers(0n, key);
}

const artifactKeyPositions: PositionCodec<ArtifactPosition> = {
  write: (position) => ("key" in position ? keyPositions.write(position.key) : null),
  read: (json) => {
    const key = keyPositions.read(json);
    return key && { key };
  },
};

function artifactValuePositions(rows: SealedNumbers): PositionCodec<ArtifactPosition> {
  return {
    write: (position) => ("key" in position ? null : [position.value, rows.seal(position.row)]),
    read: (json) => {
      if (!Array.isArray(json) || json.length !== 2) return null;
      const [value, sealed]: unknown[] = json;
      const row = typeof sealed === "string" ? rows.open(sealed) : null;
      return Number.isSafeInteger(value) && row !== null ? { value: value as number, row } : null;
    },
  };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed();
}

function parsedJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return null;
  }
}
