import {
  appendFileSync,
  chmodSync,
  closeSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";

/** How a file is damaged. */
export interface Damage {
  readonly kind: "flip" | "cut" | "grow" | "zero" | "lose" | "swap";
  /** Position as a fraction of the file. Default 0.5. */
  readonly at?: number;
  /** Amount as a fraction of the most that this kind changes. Default 0.5. */
  readonly much?: number;
  /** Path of the other file of a swap. */
  readonly other?: string;
}

/** Damages a file that holds no zero bytes. An empty file can only grow, be removed or be swapped. */
export function damageFile(path: string, { kind, at = 0.5, much = 0.5, other = path }: Damage): void {
  chmodSync(path, 0o600);
  const { size } = statSync(path);
  const position = Math.floor(at * size);
  if (kind === "swap") swap(path, other);
  else if (kind === "lose") rmSync(path);
  else if (kind === "grow" || size === 0)
    appendFileSync(path, Buffer.alloc(1 + Math.floor(much * 5000), "grown"));
  else if (kind === "cut") truncateSync(path, position);
  else if (kind === "zero") overwrite(path, position, (bytes) => bytes.fill(0), 1 + Math.floor(much * 4096));
  else overwrite(path, position, (bytes) => bytes.map((byte) => byte ^ (1 << Math.floor(much * 8))), 1);
}

function overwrite(
  path: string,
  position: number,
  change: (bytes: Buffer) => Uint8Array,
  most: number,
): void {
  const file = openSync(path, "r+");
  try {
    const bytes = Buffer.alloc(most);
    const length = readSync(file, bytes, 0, most, position);
    writeSync(file, change(bytes.subarray(0, length)), 0, length, position);
  } finally {
    closeSync(file);
  }
}

/** Swaps two files, as after a damaged directory block or a wrong fsck. */
function swap(path: string, otherPath: string): void {
  const aside = `${path}.aside`;
  renameSync(path, aside);
  renameSync(otherPath, path);
  renameSync(aside, otherPath);
}

/** Replaces the file by a new one. If it was a link to an object, the object stays unchanged. */
export function replaceFile(path: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, `A foreign file in the place of ${path}.`);
}
