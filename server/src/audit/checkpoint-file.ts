import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, parseCheckpoint, signedLine } from "./checkpoint.ts";
import { lineHash } from "./jsonl-line.ts";
import { isUnchanged, lineBefore, openLogFile, readAt, type Sync, writeAt } from "./log-file.ts";
import { CHECKPOINTS_FILE, PUBLIC_KEY_FILE } from "./log-names.ts";
import type { SigningKey } from "./signing-key.ts";

/** The file of signed records beside the log, to which nothing is ever done but to add one at its end. */
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

  /** Creates it where it is not there, publishes the key beside it, and removes what a crash left of half a record. */
  static async open(directory: string, key: SigningKey, sync: Sync): Promise<CheckpointFile> {
    await publish(directory, key, sync);
    const handle = await openLogFile(directory, CHECKPOINTS_FILE, sync);
    try {
      let { size } = await handle.stat();
      let last = size === 0 ? null : await lineBefore(handle, size);
      // Where a file system kept its length and not all its bytes, there are zeros in their place.
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

  /** Null: there is none, or the last line is none that this version writes. */
  get newest(): Checkpoint | null {
    return this.#newest;
  }

  /** Durable when it resolves. */
  async append(said: Omit<Checkpoint, "time" | "prev">): Promise<void> {
    const checkpoint = { ...said, time: new Date().toISOString(), prev: this.#prev };
    const line = signedLine(checkpoint, this.#key);
    const bytes = Buffer.from(line);
    await writeAt(this.#handle, this.#size, bytes);
    await this.#sync(this.#handle);
    this.#size += bytes.length;
    this.#prev = lineHash(line);
    this.#newest = checkpoint;
  }

  /** False: the file that has this name now is another one, or somebody else wrote to it. */
  stands(): Promise<boolean> {
    return isUnchanged(this.#handle, join(this.#directory, CHECKPOINTS_FILE), this.#size);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Adds the key to those published: earlier ones have signed what is still to be verified. */
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
