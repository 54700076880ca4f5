import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { mersenne } from "pure-rand/generator/mersenne";
import { realDisk } from "../../src/files/disk.ts";

/** What a name in a directory referred to, at one time since that directory was last fsynced. */
export type NameState =
  | { readonly kind: "absent" }
  | { readonly kind: "directory" }
  /** `saved`: another link to the file, which outlives this one. */
  | { readonly kind: "file"; readonly saved: string };

export interface FileState {
  readonly saved: string;
  bytes: number;
  syncedBytes: number;
  stampSynced: boolean;
}

export interface DirectoryMove {
  readonly from: string;
  readonly to: string;
  /** The old directory was fsynced without the name, and the new one not yet with it. */
  oldNameGone: boolean;
}

/**
 * What a crash loses of the data that was not fsynced: nothing (only the process died), everything, or a part
 * that is drawn from `seed`.
 */
export type Loss = "nothing" | "everything" | { readonly seed: number };

/** Chooses a number from 0 to `last`: 0 is the durable state, `last` the latest one. */
export type Draw = (last: number) => number;

export function drawing(lose: Loss): Draw {
  if (lose === "everything") return () => 0;
  if (lose === "nothing") return (last) => last;
  const generator = mersenne(lose.seed);
  return (last) => uniformInt(generator, 0, last);
}

export function bringBack(path: string, state: NameState): void {
  const present = realDisk.lstat(path);
  switch (state.kind) {
    case "absent":
      if (present !== null) rmSync(path, { recursive: true });
      return;
    case "directory":
      if (present?.kind === "directory") return;
      if (present !== null) unlinkSync(path);
      mkdirSync(path);
      return;
    case "file":
      if (present?.identity === realDisk.lstat(state.saved)?.identity) return;
      if (present !== null) rmSync(path, { recursive: true });
      linkSync(state.saved, path);
  }
}

export function undoMove({ from, to, oldNameGone }: DirectoryMove): void {
  if (!existsSync(to)) return;
  if (oldNameGone) rmSync(to, { recursive: true });
  else if (!existsSync(from)) renameSync(to, from);
}

/**
 * Truncates bytes that were not synced, or keeps the length and zeros them, as file systems with delayed
 * allocation do.
 */
export function loseBytes(file: FileState, draw: Draw): void {
  const { saved, bytes, syncedBytes, stampSynced } = file;
  const kept = syncedBytes + draw(bytes - syncedBytes);
  const stampKept = stampSynced || draw(1) === 1;
  if (kept === bytes && stampKept) return;
  const { mode, mtimeMs } = lstatSync(saved);
  chmodSync(saved, 0o600);
  if (kept < bytes) {
    truncateSync(saved, kept);
    if (draw(1) === 1) truncateSync(saved, bytes);
  }
  utimesSync(saved, new Date(), stampKept ? mtimeMs / 1000 : new Date());
  chmodSync(saved, mode);
}
