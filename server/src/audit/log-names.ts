const STEM = "lifecycle_events";

/** Signed records of what the log was, beside its files. */
export const CHECKPOINTS_FILE = `${STEM}.checkpoints.jsonl`;
/** The public keys of those who signed, PEM after PEM. */
export const PUBLIC_KEY_FILE = `${STEM}.public-key.pem`;

/** lifecycle_events.jsonl, then lifecycle_events.2.jsonl, lifecycle_events.3.jsonl … */
export function segmentName(number: number): string {
  return number === 1 ? `${STEM}.jsonl` : `${STEM}.${number}.jsonl`;
}

/** Null: no name that a segment is given. */
export function segmentNumberOf(file: string): number | null {
  const match = /^lifecycle_events(?:\.([1-9]\d*))?\.jsonl$/.exec(file);
  if (match === null) return null;
  const number = Number(match[1] ?? 1);
  return file === segmentName(number) ? number : null;
}

/** Of a file of the log, also one that somebody has renamed since. */
export function isLogName(file: string): boolean {
  return file.startsWith(STEM) && file !== CHECKPOINTS_FILE && file !== PUBLIC_KEY_FILE;
}

/** Of a file that a program such as logrotate compressed. */
export function isCompressedName(file: string): boolean {
  return /\.(gz|bz2|xz|zst|zstd|lz4|Z)$/.test(file);
}
