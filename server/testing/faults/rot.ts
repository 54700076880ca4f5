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

/** How bytes may rot in a file. `at` and `much` are fractions, of where and how much. */
export interface Damage {
  readonly kind: "flip" | "cut" | "grow" | "zero" | "lose" | "swap";
  /** Through the object's own name, or through its link in the view: one file either way. */
  readonly through: "object" | "view";
  readonly at: number;
  readonly much: number;
}

/** Changes the file, which must hold no zero bytes. An empty one can only grow, be lost or be swapped. */
export function damage(path: string, { kind, at, much }: Damage, otherPath: string): void {
  chmodSync(path, 0o600);
  const { size } = statSync(path);
  const position = Math.floor(at * size);
  if (kind === "swap") swap(path, otherPath);
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

/** As where a directory's block rots, or a repair puts names back wrongly. */
function swap(path: string, otherPath: string): void {
  const aside = `${path}.aside`;
  renameSync(path, aside);
  renameSync(otherPath, path);
  renameSync(aside, otherPath);
}

/** Puts something else there, as a new file: what was there may be a link of an object, which stays as it is. */
export function replaceFile(path: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, `Somebody else's, where ${path} was.`);
}
