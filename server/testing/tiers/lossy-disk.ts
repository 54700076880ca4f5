import { linkSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Disk, type DiskStep, realDisk } from "../../src/files/disk.ts";
import {
  bringBack,
  type DirectoryMove,
  type Draw,
  drawing,
  type FileState,
  type Loss,
  loseBytes,
  type NameState,
  undoMove,
} from "./crash-loss.ts";

/** The error of every call after the crash. */
export class SimulatedCrash extends Error {
  override readonly name = "SimulatedCrash";

  constructor() {
    super("the machine has crashed");
  }
}

export interface LossyDiskOptions {
  /** Called before each step. It may call `crash`; then the step does not happen. */
  readonly onStep?: (step: DiskStep) => void;
}

/** A rename of a file: the index of its states under each name. */
interface Rename {
  readonly from: string;
  readonly fromIndex: number;
  readonly to: string;
  readonly toIndex: number;
}

/**
 * For tests: a real directory that loses at a crash everything that was not fsynced: bytes of files, and
 * names that were created, changed or removed. As pessimistic as POSIX allows: fsync of a file keeps its
 * bytes but not its name, and names are lost independently of each other. A renamed file keeps at least one
 * of its names, as on any journaling file system, unless the directory of the old name was fsynced before
 * that of the new one. After the crash the directory is in the state that the next boot finds; every call
 * throws, and a new disk is needed to continue.
 */
export class LossyDisk implements Disk {
  readonly #graveyard: string;
  readonly #onStep: (step: DiskStep) => void;
  readonly #names = new Map<string, NameState[]>();
  readonly #renames: Rename[] = [];
  readonly #moves: DirectoryMove[] = [];
  /** By identity. */
  readonly #files = new Map<string, FileState>();
  readonly #saved = new Map<string, string>();
  /** Open descriptors; with their file where it is not completely synced. */
  readonly #descriptors = new Map<number, FileState | null>();
  #crashed = false;

  /**
   * `root` must exist. A folder next to it, deleted at the crash or by `release`, keeps files that may be
   * restored.
   */
  constructor(root: string, options: LossyDiskOptions = {}) {
    this.#graveyard = mkdtempSync(`${root}-lossy-`);
    this.#onStep = options.onStep ?? (() => {});
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  crash(lose: Loss): void {
    if (this.#crashed) return;
    for (const descriptor of this.#descriptors.keys()) realDisk.close(descriptor);
    this.#crashed = true;
    const draw = drawing(lose);
    const chosen = this.#chooseNames(draw);
    // Parents first: a lost directory has no contents left to lose.
    const paths = [...chosen.keys()].sort((a, b) => a.split("/").length - b.split("/").length);
    for (const path of paths) {
      const state = this.#names.get(path)?.[chosen.get(path) ?? 0];
      if (state !== undefined && realDisk.lstat(dirname(path))?.kind === "directory") bringBack(path, state);
    }
    for (const move of this.#moves.reverse()) if (draw(1) === 0) undoMove(move);
    for (const file of this.#files.values()) loseBytes(file, draw);
    rmSync(this.#graveyard, { recursive: true });
  }

  /** Keeps everything, and ends. */
  release(): void {
    this.crash("nothing");
  }

  /** Registers a foreign file that was not synced: a crash may lose its bytes, but not its name. */
  addForeignFile(path: string): void {
    const facts = realDisk.lstat(path);
    if (facts === null) throw new Error(`${path} does not exist`);
    const saved = this.#save(path, facts.identity);
    this.#files.set(facts.identity, { saved, bytes: facts.sizeBytes, syncedBytes: 0, stampSynced: true });
  }

  readonly mkdir: Disk["mkdir"] = (step, path, mode) => {
    this.#enter(step);
    this.#changeName(path, () => realDisk.mkdir(step, path, mode));
  };

  readonly create: Disk["create"] = (step, path, mode) => {
    this.#enter(step);
    const descriptor = this.#changeName(path, () => realDisk.create(step, path, mode));
    const { identity } = realDisk.facts(descriptor);
    const file = { saved: this.#save(path, identity), bytes: 0, syncedBytes: 0, stampSynced: true };
    this.#files.set(identity, file);
    this.#descriptors.set(descriptor, file);
    return descriptor;
  };

  readonly append: Disk["append"] = (step, descriptor, bytes) => {
    this.#enter(step);
    realDisk.append(step, descriptor, bytes);
    const file = this.#descriptors.get(descriptor);
    if (file) file.bytes += bytes.length;
  };

  readonly stamp: Disk["stamp"] = (step, descriptor, modifiedAt) => {
    this.#enter(step);
    realDisk.stamp(step, descriptor, modifiedAt);
    const file = this.#descriptors.get(descriptor);
    if (file) file.stampSynced = false;
  };

  /** A crash does not lose permission bits. */
  readonly chmod: Disk["chmod"] = (step, descriptor, mode) => {
    this.#enter(step);
    realDisk.chmod(step, descriptor, mode);
  };

  /** Only records the fsync; nothing is forced to the real disk. */
  readonly fsync: Disk["fsync"] = (step, descriptor) => {
    this.#enter(step);
    const file = this.#descriptors.get(descriptor);
    if (!file) return;
    file.syncedBytes = file.bytes;
    file.stampSynced = true;
  };

  readonly fsyncDirectory: Disk["fsyncDirectory"] = (step, path) => {
    this.#enter(step);
    if (realDisk.lstat(path)?.kind !== "directory") realDisk.fsyncDirectory(step, path);
    for (const name of this.#names.keys()) if (dirname(name) === path) this.#names.delete(name);
    for (const rename of [...this.#renames]) {
      if (dirname(rename.to) === path || dirname(rename.from) === path)
        this.#renames.splice(this.#renames.indexOf(rename), 1);
    }
    for (const move of [...this.#moves]) {
      if (dirname(move.to) === path) this.#moves.splice(this.#moves.indexOf(move), 1);
      else if (dirname(move.from) === path) move.oldNameGone = true;
    }
  };

  readonly link: Disk["link"] = (step, existing, path) => {
    this.#enter(step);
    this.#changeName(path, () => realDisk.link(step, existing, path));
  };

  readonly rename: Disk["rename"] = (step, from, to) => {
    this.#enter(step);
    if (realDisk.lstat(from)?.kind === "directory") {
      realDisk.rename(step, from, to);
      this.#moves.push({ from, to, oldNameGone: false });
      return;
    }
    this.#changeName(from, () => this.#changeName(to, () => realDisk.rename(step, from, to)));
    const last = (path: string) => (this.#names.get(path)?.length ?? 0) - 1;
    this.#renames.push({ from, fromIndex: last(from), to, toIndex: last(to) });
  };

  readonly unlink: Disk["unlink"] = (step, path) => {
    this.#enter(step);
    this.#changeName(path, () => realDisk.unlink(step, path));
  };

  readonly rmdir: Disk["rmdir"] = (step, path) => {
    this.#enter(step);
    this.#changeName(path, () => realDisk.rmdir(step, path));
  };

  readonly open: Disk["open"] = (path) => {
    this.#alive();
    const descriptor = realDisk.open(path);
    if (descriptor !== null)
      this.#descriptors.set(descriptor, this.#files.get(realDisk.facts(descriptor).identity) ?? null);
    return descriptor;
  };

  readonly read: Disk["read"] = (descriptor, into, position) => {
    this.#alive();
    return realDisk.read(descriptor, into, position);
  };

  readonly facts: Disk["facts"] = (descriptor) => {
    this.#alive();
    return realDisk.facts(descriptor);
  };

  readonly close: Disk["close"] = (descriptor) => {
    this.#alive();
    this.#descriptors.delete(descriptor);
    realDisk.close(descriptor);
  };

  readonly lstat: Disk["lstat"] = (path) => {
    this.#alive();
    return realDisk.lstat(path);
  };

  readonly readdir: Disk["readdir"] = (path) => {
    this.#alive();
    return realDisk.readdir(path);
  };

  readonly names: Disk["names"] = (path) => {
    this.#alive();
    return realDisk.names(path);
  };

  /** Chooses for each name the state that the next boot finds. */
  #chooseNames(draw: Draw): Map<string, number> {
    const chosen = new Map([...this.#names].map(([path, states]) => [path, draw(states.length - 1)]));
    // Backwards: restoring a file's old name may require the same of the rename before.
    for (const { from, fromIndex, to, toIndex } of this.#renames.toReversed()) {
      if ((chosen.get(to) ?? 0) < toIndex && (chosen.get(from) ?? 0) >= fromIndex)
        chosen.set(from, fromIndex - 1);
    }
    return chosen;
  }

  #alive(): void {
    if (this.#crashed) throw new SimulatedCrash();
  }

  #enter(step: DiskStep): void {
    this.#alive();
    this.#onStep(step);
    this.#alive();
  }

  /** Records what `path` refers to before and after. A failed call changes nothing. */
  #changeName<T>(path: string, change: () => T): T {
    const before = this.#names.get(path) ?? [this.#stateOf(path)];
    const result = change();
    this.#names.set(path, [...before, this.#stateOf(path)]);
    return result;
  }

  #stateOf(path: string): NameState {
    const facts = realDisk.lstat(path);
    if (facts === null) return { kind: "absent" };
    if (facts.kind === "directory") return { kind: "directory" };
    return { kind: "file", saved: this.#save(path, facts.identity) };
  }

  #save(path: string, identity: string): string {
    let saved = this.#saved.get(identity);
    if (saved === undefined) {
      saved = join(this.#graveyard, String(this.#saved.size));
      linkSync(path, saved);
      this.#saved.set(identity, saved);
    }
    return saved;
  }
}
