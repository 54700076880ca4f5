import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { realDisk } from "../../src/files/disk.ts";
import { mulberry32 } from "./mulberry32.ts";

/** What a name in a directory stood for, at one time since that directory was last fsynced. */
export type NameState =
  | { readonly kind: "absent" }
  | { readonly kind: "directory" }
  /** `saved` is another link to the file, which outlives this one. */
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
  /** The old place was fsynced without its name, the new one not yet with it. */
  oldNameGone: boolean;
}

/** What a crash takes of the data that was not fsynced: nothing (only the process died), everything, or a part drawn from `seed`. */
export type Loss = "nothing" | "everything" | { readonly seed: number };

/** Chooses one of the numbers 0 to `last`, 0 being what was durable and `last` what was there. */
export type Draw = (last: number) => number;

export function drawing(lose: Loss): Draw {
  if (lose === "everything") return () => 0;
  if (lose === "nothing") return (last) => last;
  const next = mulberry32(lose.seed);
  return (last) => next() % (last + 1);
}

export function bringBack(path: string, state: NameState): void {
  const present = realDisk.lstat(path);
  switch (state.kind) {
    case "absent":
      if (present !== null) rmSync(path, { recursive: true });
      return;
    case "directory":
      return;
    case "file":
      if (present?.identity === realDisk.lstat(state.saved)?.identity) return;
      if (present !== null) unlinkSync(path);
      linkSync(state.saved, path);
  }
}

export function undoMove({ from, to, oldNameGone }: DirectoryMove): void {
  if (!existsSync(to)) return;
  if (oldNameGone) rmSync(to, { recursive: true });
  else if (!existsSync(from)) renameSync(to, from);
}

/** Cuts what was not synced, or leaves the length and only zeros in it, as file systems that allocate late do. */
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
