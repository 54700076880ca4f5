import type { PublicKeys, SigningKey } from "./signing-key.ts";

/**
 * Why a file of the log was started: regularly, or because the previous one was not as the server left it.
 */
export const SEGMENT_STARTS = {
  first: { gap: false, means: "it is the first file" },
  rotated: { gap: false, means: "the previous file had reached its maximum size" },
  missing: { gap: true, means: "the file to continue was missing or empty" },
  unknown: {
    gap: true,
    means: "the existing file was changed after the server's last write, or belongs to another log",
  },
  ahead: {
    gap: true,
    means:
      "the existing file had newer events than the catalog, for example after the catalog was restored from a backup",
  },
} as const;

export type SegmentStart = keyof typeof SEGMENT_STARTS;

/**
 * Content of a signed record. A "checkpoint" states that the line of event `seq` in this segment has the hash
 * `head`. A "segment" or "gap" states that a segment starts and continues from that line (seq 0: from
 * nothing).
 */
export interface Checkpoint {
  readonly type: "checkpoint" | "segment" | "gap";
  /** Only of a segment or gap. */
  readonly reason?: SegmentStart;
  /** ISO 8601, by the machine's clock. */
  readonly time: string;
  readonly segment: number;
  readonly seq: number;
  /** SHA-256, hex, of the line. */
  readonly head: string | null;
  /** SHA-256, hex, of the previous record with its newline. Null: it is the first. */
  readonly prev: string | null;
}

/** Returns a line of the checkpoint file. The signature covers the JSON without the signature. */
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

/** Returns the content of a line, not verified. Null if this version does not write such a line. */
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
  // Any other spelling of the same content is rejected.
  const checkpoint = parsed as Checkpoint & { key: string; signature: string };
  return withSignature(unsigned(checkpoint, key), signature) === line ? checkpoint : null;
}

/** Returns what is wrong with a line. Null: one of `keys` signed it. */
export function signatureProblem(line: string, keys: PublicKeys): string | null {
  const checkpoint = parseCheckpoint(line);
  if (checkpoint === null) return "is not a checkpoint";
  const { key, signature } = checkpoint;
  switch (keys.isSigned(key, unsigned(checkpoint, key), signature)) {
    case null:
      return `is signed by the key ${key}, which is not among the given keys (${keys.ids.join(", ") || "none"})`;
    case false:
      return "has a signature that does not match its content";
    case true:
      return null;
  }
}
