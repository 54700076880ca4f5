import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import type { SeededRandom } from "../seeded-random.ts";

const DISK_BYTES = 640 * 2 ** 20;
/** Of which only what is written takes room. */
const LOG_BYTES = 2 ** 36;
const SECTOR = 512;
// As in Documentation/admin-guide/device-mapper/log-writes.rst of the kernel, whose format the log has.
const [FLUSH, FUA] = [1n, 2n];

/** How a file system is made in a file, and mounted. */
export interface FileSystem {
  readonly make: readonly [string, ...string[]];
  readonly options: readonly string[];
}

/** Something that the disk was asked for: to write, to make durable what it has (a write of nothing), or both. */
interface Request {
  readonly position: number;
  /** Where its bytes stand in the log. */
  readonly at: number;
  readonly length: number;
  readonly isFlush: boolean;
}

/**
 * A disk with a file system of the kernel's, of which each write and each flush is kept in order: at any later time it can
 * be had as a power cut at a moment of its past may have left it. Linux alone, as root, with qemu-storage-daemon.
 */
export class RecordedDisk implements AsyncDisposable {
  /** Where it is mounted. */
  readonly mounted: string;
  readonly #dir: string;
  readonly #fileSystem: FileSystem;
  readonly #requests: Request[] = [];
  #end = SECTOR;
  #log = -1;
  #daemon: ChildProcess | null = null;
  readonly #abandon = () => {
    for (const where of [...mounts].reverse()) if (where.startsWith(this.#dir)) unmount(where);
    this.#daemon?.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  };

  private constructor(dir: string, fileSystem: FileSystem) {
    this.#dir = dir;
    this.#fileSystem = fileSystem;
    this.mounted = join(dir, "mounted");
  }

  static async begin(fileSystem: FileSystem): Promise<RecordedDisk> {
    const disk = new RecordedDisk(mkdtempSync(join(tmpdir(), "tierkeep-disk-")), fileSystem);
    try {
      await disk.#begin();
      return disk;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw new Error(
        "A recorded disk needs root, loop devices, FUSE and qemu-storage-daemon, which .ci/run installs.",
        { cause: error },
      );
    }
  }

  async #begin(): Promise<void> {
    const [base, disk, log, exported] = ["base", "disk", "log", "exported"].map((name) =>
      join(this.#dir, name),
    ) as [string, string, string, string];
    for (const path of [base, log, exported]) writeFileSync(path, "");
    truncateSync(base, DISK_BYTES);
    truncateSync(log, LOG_BYTES);
    const [make, ...args] = this.#fileSystem.make;
    execFileSync(make, [...args, base], { stdio: "pipe" });
    copy(base, disk);
    // What goes below it needs no sync: the machine stays on.
    const file = (name: string, filename: string) =>
      `driver=file,node-name=${name},filename=${filename},cache.no-flush=on`;
    const daemon = spawn(
      "qemu-storage-daemon",
      [
        ...["--blockdev", file("disk", disk), "--blockdev", file("log", log)],
        ...[
          "--blockdev",
          `driver=blklogwrites,node-name=recorded,file=disk,log=log,log-sector-size=${SECTOR}`,
        ],
        ...["--export", `fuse,id=export,node-name=recorded,mountpoint=${exported},writable=on`],
      ],
      { stdio: "ignore" },
    );
    this.#daemon = daemon;
    process.on("exit", this.#abandon);
    const failed = new Promise<never>((_, reject) => {
      daemon.on("error", reject);
      daemon.on("exit", (code) => reject(new Error(`qemu-storage-daemon ended with ${code}`)));
    });
    failed.catch(() => {});
    while (statSync(exported).size === 0) await Promise.race([pause(20), failed]);
    mounts.add(exported);
    this.#log = openSync(log, "r");
    const device = execFileSync("losetup", ["--find", "--show", exported], { encoding: "utf8" }).trim();
    try {
      mkdirSync(this.mounted);
      mount(device, this.mounted, this.#fileSystem);
    } finally {
      // As soon as nobody has it mounted.
      execFileSync("losetup", ["--detach", device]);
    }
  }

  /** How many requests there have been. A power cut now may lose any of those since the last flush among them. */
  async moment(): Promise<number> {
    // Each flush is counted in the log's first sector before it is answered.
    const counted = Number(this.#read(0, SECTOR).readBigUInt64LE(16));
    for (;;) {
      this.#readOn();
      if (this.#requests.length >= counted) return this.#requests.length;
      await pause(1);
    }
  }

  /** What a power cut at that moment may have left: everything up to the last flush, and of the rest what chance leaves. */
  async afterPowerCut(moment: number, random: SeededRandom): Promise<MountedImage> {
    const dir = join(this.#dir, `cut-${moment}`);
    mkdirSync(dir);
    const image = join(dir, "image");
    copy(join(this.#dir, "base"), image);
    const requests = this.#requests.slice(0, moment);
    const flushed = requests.findLastIndex(({ isFlush }) => isFlush);
    const file = openSync(image, "r+");
    try {
      const fate = random.between(0, 3);
      for (const [index, { position, at, length }] of requests.entries()) {
        const sectors = length / SECTOR;
        const kept =
          index <= flushed || fate === 0
            ? sectors
            : fate === 1
              ? 0
              : [0, sectors, random.between(0, sectors)][random.between(0, 2)];
        if (kept) writeSync(file, this.#read(at, kept * SECTOR), 0, kept * SECTOR, position);
      }
    } finally {
      closeSync(file);
    }
    return new MountedImage(dir, image, this.#fileSystem);
  }

  #readOn(): void {
    for (;;) {
      const entry = this.#read(this.#end, SECTOR);
      const [sector, sectors, flags] = [0, 8, 16].map((at) => entry.readBigUInt64LE(at)) as [
        bigint,
        bigint,
        bigint,
      ];
      if (sectors === 0n && flags === 0n) return;
      if ((flags & ~(FLUSH | FUA)) !== 0n)
        throw new Error(`a request with flags ${flags}, which is not replayed here`);
      const length = Number(sectors) * SECTOR;
      this.#requests.push({
        position: Number(sector) * SECTOR,
        at: this.#end + SECTOR,
        length,
        isFlush: (flags & FLUSH) !== 0n,
      });
      this.#end += SECTOR + length;
    }
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#log, bytes, 0, length, at);
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unmount(this.mounted);
    unmount(join(this.#dir, "exported"));
    if (this.#log !== -1) closeSync(this.#log);
    const daemon = this.#daemon;
    if (daemon !== null && daemon.exitCode === null && daemon.signalCode === null) {
      const ended = new Promise((resolve) => daemon.on("exit", resolve));
      daemon.kill();
      await ended;
    }
    process.off("exit", this.#abandon);
    rmSync(this.#dir, { recursive: true });
  }
}

/** What a power cut left, with whatever the file system makes of that. */
export class MountedImage implements Disposable {
  readonly mounted: string;
  readonly #dir: string;

  constructor(dir: string, image: string, fileSystem: FileSystem) {
    this.#dir = dir;
    this.mounted = join(dir, "mounted");
    mkdirSync(this.mounted);
    mount(image, this.mounted, fileSystem);
  }

  [Symbol.dispose](): void {
    unmount(this.mounted);
    rmSync(this.#dir, { recursive: true });
  }
}

function copy(from: string, to: string): void {
  execFileSync("cp", ["--sparse=always", from, to]);
}

const mounts = new Set<string>();

function mount(what: string, where: string, { options }: FileSystem): void {
  execFileSync("mount", ["-o", ["nodiscard", ...options].join(","), what, where], { stdio: "pipe" });
  mounts.add(where);
}

function unmount(where: string): void {
  if (!mounts.delete(where) || !existsSync(where)) return;
  // Lazy: also where a test has been given up, with a server still running on it.
  execFileSync("umount", ["--lazy", where]);
}

// Whoever has had enough of a file of tests ends it with SIGTERM.
process.on("SIGTERM", () => process.exit(143));
