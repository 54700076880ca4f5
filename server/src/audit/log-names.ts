const STEM = "lifecycle_events";

/** File of signed checkpoints beside the log. */
export const CHECKPOINTS_FILE = `${STEM}.checkpoints.jsonl`;
/** Public keys of all signers, as concatenated PEMs. */
export const PUBLIC_KEY_FILE = `${STEM}.public-key.pem`;

/** Returns the name of a segment: lifecycle_events.jsonl, lifecycle_events.2.jsonl, lifecycle_events.3.jsonl … */
export function segmentName(number: number): string {
  return number === 1 ? `${STEM}.jsonl` : `${STEM}.${number}.jsonl`;
}

/** Returns the number of the segment with this name. Null: the name is not one of a segment. */
export function segmentNumberOf(file: string): number | null {
  const match = /^lifecycle_events(?:\.([1-9]\d*))?\.jsonl$/.exec(file);
  if (match === null) return null;
  const number = Number(match[1] ?? 1);
  return file === segmentName(number) ? number : null;
}

/** Returns whether the name belongs to the log, including renamed files. */
export function isLogName(file: string): boolean {
  return file.startsWith(STEM) && file !== CHECKPOINTS_FILE && file !== PUBLIC_KEY_FILE;
}

/** Returns whether the file was compressed, for example by logrotate. */
export function isCompressedName(file: string): boolean {
  return /\.(gz|bz2|xz|zst|zstd|lz4|Z)$/.test(file);
}
