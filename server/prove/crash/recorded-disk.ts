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
/** A sparse file: it only occupies what is written. */
const LOG_BYTES = 2 ** 36;
const SECTOR = 512;
// The log's format is that of Documentation/admin-guide/device-mapper/log-writes.rst in the kernel.
const [FLUSH, FUA] = [1n, 2n];

/** The command that creates a file system in a file, and the mount options. */
export interface FileSystem {
  readonly make: readonly [string, ...string[]];
  readonly options: readonly string[];
}

/** A request to the disk: a write, a flush (a write of zero bytes), or both. */
interface Request {
  readonly position: number;
  /** The position of its bytes in the log. */
  readonly at: number;
  readonly length: number;
  readonly isFlush: boolean;
}

/**
 * A disk with a kernel file system that records each write and each flush in order. It can later produce the state in
 * which a power cut at an earlier moment may have left it. Requires Linux, root and qemu-storage-daemon.
 */
export class RecordedDisk implements AsyncDisposable {
  /** The mount point. */
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

  static async create(fileSystem: FileSystem): Promise<RecordedDisk> {
    const disk = new RecordedDisk(mkdtempSync(join(tmpdir(), "tierkeep-disk-")), fileSystem);
    try {
      await disk.#mount();
      return disk;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw new Error(
        "A recorded disk requires root, loop devices, FUSE and qemu-storage-daemon, which .ci/run installs.",
        { cause: error },
      );
    }
  }

  async #mount(): Promise<void> {
    const [base, disk, log, exported] = ["base", "disk", "log", "exported"].map((name) =>
      join(this.#dir, name),
    ) as [string, string, string, string];
    for (const path of [base, log, exported]) writeFileSync(path, "");
    truncateSync(base, DISK_BYTES);
    truncateSync(log, LOG_BYTES);
    const [make, ...args] = this.#fileSystem.make;
    execFileSync(make, [...args, base], { stdio: "pipe" });
    copy(base, disk);
    // The files below need no sync, because this machine keeps running.
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
      // The kernel detaches it once it is unmounted.
      execFileSync("losetup", ["--detach", device]);
    }
  }

  /** Returns the number of requests so far. A power cut now may lose any of those since the last flush. */
  async moment(): Promise<number> {
    // The log's first sector counts each flush before the flush is acknowledged.
    const counted = Number(this.#read(0, SECTOR).readBigUInt64LE(16));
    for (;;) {
      this.#readOn();
      if (this.#requests.length >= counted) return this.#requests.length;
      await pause(1);
    }
  }

  /**
   * Returns a state after a power cut at that moment: everything up to the last flush, and a random part of
   * the rest.
   */
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
      if ((flags & ~(FLUSH | FUA)) !== 0n) throw new Error(`Cannot replay a request with flags ${flags}.`);
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

/** The disk after a power cut, mounted, so that the file system recovers itself. */
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
  // Lazy, because an aborted test may leave a server running on it.
  execFileSync("umount", ["--lazy", where]);
}

// Exit on SIGTERM, so that the exit handlers unmount the disk when a test file is aborted.
process.on("SIGTERM", () => process.exit(143));
