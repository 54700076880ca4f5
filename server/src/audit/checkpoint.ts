import type { PublicKeys, SigningKey } from "./signing-key.ts";

/** How a file of the log came to be begun: as it should, or because the one before was not as it was left. */
export const SEGMENT_STARTS = {
  first: { gap: false, means: "the first one" },
  rotated: { gap: false, means: "the one before had reached its size" },
  missing: { gap: true, means: "the file that was to be gone on with was gone, or emptied" },
  unknown: { gap: true, means: "the file that stood there was not as the server left it, or not its own" },
  ahead: {
    gap: true,
    means:
      "the file that stood there went further than the catalog, as it does once the catalog has come back from a backup",
  },
} as const;

export type SegmentStart = keyof typeof SEGMENT_STARTS;

/**
 * What a signed record says. A checkpoint: the line of event `seq` in this segment has the hash `head`. A segment, or a
 * gap: a segment is begun, which goes on from that line (seq 0: from nothing).
 */
export interface Checkpoint {
  readonly type: "checkpoint" | "segment" | "gap";
  /** Only of a segment or gap. */
  readonly reason?: SegmentStart;
  /** ISO 8601, by the clock of the machine. */
  readonly time: string;
  readonly segment: number;
  readonly seq: number;
  /** SHA-256, hex, of the line. */
  readonly head: string | null;
  /** SHA-256, hex, of the record before, newline included; null: there was none. */
  readonly prev: string | null;
}

/** A line of the file of checkpoints: the signature is over the JSON without it. */
export function signedLine(checkpoint: Checkpoint, key: SigningKey): string {
  const text = unsigned(checkpoint, key.id);
  return withSignature(text, key.sign(text));
}

function unsigned({ type, reason, time, segment, seq, head, prev }: Checkpoint, key: string): string {
  return JSON.stringify({ type, reason, time, segment, seq, head, prev, key });
}

function withSignature(text: string, signature: string): string {
  return `${text.slice(0, -1)},"signature":${JSON.stringify(signature)}}\n`;
}

/** What the line says, unproved; null: it is no line that this version writes. */
export function parseCheckpoint(line: string): (Checkpoint & { key: string; signature: string }) | null {
  let parsed: Partial<Checkpoint & { key: string; signature: string }> | null;
  try {
    parsed = JSON.parse(line);
  } catch {
    return null;
  }
  const { type, segment, seq, key, signature, reason } = parsed ?? {};
  const begins = type === "segment" || type === "gap";
  if (!begins && type !== "checkpoint") return null;
  if (begins !== (reason !== undefined) || (reason !== undefined && !Object.hasOwn(SEGMENT_STARTS, reason)))
    return null;
  if (!Number.isSafeInteger(segment) || !Number.isSafeInteger(seq)) return null;
  if (typeof key !== "string" || typeof signature !== "string") return null;
  // The line is all that it says, and says it in one way: any other spelling of it is refused.
  const checkpoint = parsed as Checkpoint & { key: string; signature: string };
  return withSignature(unsigned(checkpoint, key), signature) === line ? checkpoint : null;
}

/** What is wrong with a line; null: one of `keys` signed it. */
export function signatureProblem(line: string, keys: PublicKeys): string | null {
  const checkpoint = parseCheckpoint(line);
  if (checkpoint === null) return "is no checkpoint";
  const { key, signature } = checkpoint;
  switch (keys.isSigned(key, unsigned(checkpoint, key), signature)) {
    case null:
      return `is signed by the key ${key}, which is not among those given (${keys.ids.join(", ") || "none"})`;
    case false:
      return "has a signature that is not of what it says";
    case true:
      return null;
  }
}
