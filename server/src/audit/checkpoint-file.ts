import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, parseCheckpoint, signedLine } from "./checkpoint.ts";
import { lineHash } from "./jsonl-line.ts";
import { isUnchanged, lineBefore, openLogFile, readAt, type Sync, writeAt } from "./log-file.ts";
import { CHECKPOINTS_FILE, PUBLIC_KEY_FILE } from "./log-names.ts";
import type { SigningKey } from "./signing-key.ts";

/** The file of signed checkpoints beside the log. It is only ever appended to. */
export class CheckpointFile {
  readonly #directory: string;
  readonly #handle: FileHandle;
  readonly #key: SigningKey;
  readonly #sync: Sync;
  #size: number;
  #prev: string | null;
  #newest: Checkpoint | null;

  private constructor(
    directory: string,
    handle: FileHandle,
    key: SigningKey,
    sync: Sync,
    size: number,
    last: Buffer | null,
  ) {
    this.#directory = directory;
    this.#handle = handle;
    this.#key = key;
    this.#sync = sync;
    this.#size = size;
    this.#prev = last && lineHash(last);
    this.#newest = last && parseCheckpoint(last.toString());
  }

  /**
   * Creates a missing file, publishes the key beside it, and truncates a record that a crash left incomplete.
   */
  static async open(directory: string, key: SigningKey, sync: Sync): Promise<CheckpointFile> {
    await publish(directory, key, sync);
    const handle = await openLogFile(directory, CHECKPOINTS_FILE, sync);
    try {
      let { size } = await handle.stat();
      let last = size === 0 ? null : await lineBefore(handle, size);
      // Some file systems keep the length of a file without all its bytes; the missing bytes are zeros.
      if (last !== null && (last.at(-1) !== 0x0a || last.includes(0))) {
        size -= last.length;
        await handle.truncate(size);
        last = size === 0 ? null : await lineBefore(handle, size);
      }
      return new CheckpointFile(directory, handle, key, sync, size, last);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Null if the file is empty or its last line was not written by this version. */
  get newest(): Checkpoint | null {
    return this.#newest;
  }

  /** Appends a signed checkpoint. Durable when it resolves. */
  async append(fields: Omit<Checkpoint, "time" | "prev">): Promise<void> {
    const checkpoint = { ...fields, time: new Date().toISOString(), prev: this.#prev };
    const line = signedLine(checkpoint, this.#key);
    const bytes = Buffer.from(line);
    await writeAt(this.#handle, this.#size, bytes);
    await this.#sync(this.#handle);
    this.#size += bytes.length;
    this.#prev = lineHash(line);
    this.#newest = checkpoint;
  }

  /**
   * Returns whether the file with this name is still the same and has its size. False: it was replaced, or
   * another program wrote to it.
   */
  isIntact(): Promise<boolean> {
    return isUnchanged(this.#handle, join(this.#directory, CHECKPOINTS_FILE), this.#size);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Adds the key to the published ones. Earlier keys are kept to verify earlier checkpoints. */
async function publish(directory: string, key: SigningKey, sync: Sync): Promise<void> {
  const handle = await openLogFile(directory, PUBLIC_KEY_FILE, sync);
  try {
    const { size } = await handle.stat();
    const published = (await readAt(handle, 0, size)).toString();
    if (published.includes(key.publicPem)) return;
    const gap = published === "" || published.endsWith("\n") ? "" : "\n";
    await writeAt(handle, size, Buffer.from(gap + key.publicPem));
    await sync(handle);
  } finally {
    await handle.close();
  }
}
