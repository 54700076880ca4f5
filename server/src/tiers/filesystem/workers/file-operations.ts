import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Disk } from "../../../files/disk.ts";
import { DurableDirectories } from "../../../files/durable-directories.ts";
import type { FoundAt, Quarantined, WrittenObject } from "../../tier-store.ts";
import type {
  FoundFile,
  IngestItem,
  Moved,
  Placement,
  Published,
  Taken,
  TreeEntry,
  TreePosition,
  ViewCopy,
  ViewDifference,
} from "../../tier-view.ts";
import { Layout } from "../layout.ts";
import { FoundFiles } from "../objects/found-files.ts";
import { ObjectFiles, type ObjectWrite, type SmallObject } from "../objects/object-files.ts";
import {
  type ExpectedObject,
  expectedLength,
  type ObjectRead,
  openObject,
  READ_CHUNK_BYTES,
  readObject,
  verifyEmpty,
} from "../objects/object-reads.ts";
import { prepareStore } from "../prepare-store.ts";
import { type FileIngest, IngestFiles } from "../view/ingest-files.ts";
import { TreeWalk } from "../view/tree-walk.ts";
import { viewDifferences } from "../view/view-differences.ts";
import { ViewFiles } from "../view/view-files.ts";

/**
 * All file operations of a thread. Each call is short, synchronous and has plain values, so it can cross
 * threads. Long writes and reads are sessions with a number. Between two calls of a session the thread serves
 * other calls, so a stalled client does not block it.
 *
 * A session starts with beginWrite, openRead or `take`. It ends with its last result (finishWrite, the last
 * readNext or continueTake), with an error of a read or take, when it is discarded or closed, or with the
 * thread.
 */
export class FileOperations {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #objects: ObjectFiles;
  readonly #view: ViewFiles;
  readonly #tree: TreeWalk;
  readonly #found: FoundFiles;
  readonly #ingest: IngestFiles;
  readonly #writes = new Map<number, ObjectWrite>();
  readonly #reads = new Map<number, ObjectRead>();
  readonly #ingests = new Map<number, FileIngest>();
  #lastSession = 0;

  /** `worker`: number of the thread among those of one store. */
  constructor(options: { readonly root: string; readonly disk: Disk; readonly worker: number }) {
    this.#disk = options.disk;
    this.#layout = new Layout(options.root);
    const directories = new DurableDirectories(options.disk, this.#layout.fixed);
    this.#objects = new ObjectFiles(options.disk, this.#layout, directories);
    this.#view = new ViewFiles(options.disk, this.#layout, directories, options.worker);
    this.#found = new FoundFiles(options.disk, this.#layout);
    this.#tree = new TreeWalk(options.disk, this.#layout);
    this.#ingest = new IngestFiles(options.disk, this.#layout, directories, this.#objects);
  }

  prepare(publishTree: boolean): void {
    prepareStore(this.#disk, this.#layout, publishTree);
  }

  beginWrite(object: string, modifiedAt: number): number {
    const write = this.#objects.begin(object, modifiedAt);
    this.#lastSession += 1;
    this.#writes.set(this.#lastSession, write);
    return this.#lastSession;
  }

  /** Returns the buffer for reuse. */
  append(session: number, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#objects.append(this.#write(session), bytes);
    return bytes;
  }

  finishWrite(session: number): WrittenObject {
    const written = this.#objects.finish(this.#write(session));
    this.#writes.delete(session);
    return written;
  }

  discardWrite(session: number): void {
    const write = this.#write(session);
    this.#writes.delete(session);
    this.#objects.discard(write);
  }

  put(objects: readonly SmallObject[]): void {
    this.#objects.put(objects);
  }

  /** Returns all requested bytes, verified unless a range; null: there is no such object. */
  readWhole(object: string | FoundAt, expected: ExpectedObject): Uint8Array<ArrayBuffer> | null {
    const read = this.#open(object, expected);
    if (read === null) return null;
    try {
      verifyEmpty(this.#disk, read);
      return readObject(this.#disk, read, expectedLength(expected)) ?? new Uint8Array(new ArrayBuffer(0));
    } finally {
      this.#disk.close(read.descriptor);
    }
  }

  /** Starts a read session; null: there is no such object. */
  openRead(object: string | FoundAt, expected: ExpectedObject): number | null {
    const read = this.#open(object, expected);
    if (read === null) return null;
    this.#lastSession += 1;
    this.#reads.set(this.#lastSession, read);
    return this.#lastSession;
  }

  /**
   * Returns the next bytes; null: there are no more, or the session has ended. It ends with the last bytes or
   * an error.
   */
  readNext(session: number): Uint8Array<ArrayBuffer> | null {
    const read = this.#reads.get(session);
    if (read === undefined) return null;
    try {
      const bytes = readObject(this.#disk, read, READ_CHUNK_BYTES);
      if (read.remaining === 0) this.closeRead(session);
      return bytes;
    } catch (error) {
      this.closeRead(session);
      throw error;
    }
  }

  closeRead(session: number): void {
    const read = this.#reads.get(session);
    this.#reads.delete(session);
    if (read !== undefined) this.#disk.close(read.descriptor);
  }

  stat(object: string): number | null {
    return this.#objects.stat(object);
  }

  remove(objects: readonly string[]): void {
    this.#objects.remove(objects);
  }

  fanOuts(): string[] {
    return this.#objects.fanOuts();
  }

  listFanOut(fanOut: string): string[] {
    return this.#objects.listFanOut(fanOut);
  }

  quarantine(object: string): void {
    this.#objects.quarantine(object);
  }

  quarantined(): Quarantined[] {
    return this.#found.quarantined();
  }

  deleteQuarantined(names: readonly string[]): void {
    this.#found.deleteQuarantined(names);
  }

  setAside(places: readonly { readonly key: ArtifactKey; readonly tier: Tier }[]): readonly Moved[] {
    return this.#found.setAside(places);
  }

  publish(placements: readonly Placement[]): Published {
    return this.#view.publish(placements);
  }

  relink(copies: readonly ViewCopy[]): void {
    this.#view.relink(copies);
  }

  findFiles(places: readonly { readonly key: ArtifactKey; readonly tier: Tier }[]): (FoundFile | null)[] {
    return this.#tree.find(places);
  }

  walkTree(after: TreePosition | null, limit: number): TreeEntry[] {
    return this.#tree.page(after, limit);
  }

  countTree(): number {
    return this.#tree.count();
  }

  /** Returns the result of each file or, for a long file, a session to continue it. */
  take(items: readonly IngestItem[]): (Taken | number)[] {
    const outcomes: (Taken | number)[] = [];
    const read: { readonly index: number; readonly take: FileIngest }[] = [];
    try {
      for (const [index, { key, file, how }] of items.entries()) {
        const take = this.#ingest.begin(key, file, how);
        if ("state" in take) {
          outcomes[index] = take;
          continue;
        }
        const next = this.#ingest.next(take);
        if (next === "read") read.push({ index, take });
        else outcomes[index] = next === "more" ? this.#sessionOf(take) : next;
      }
    } catch (error) {
      for (const { take } of read) this.#ingest.discard(take);
      for (const begun of outcomes) if (typeof begun === "number") this.discardTake(begun);
      throw error;
    }
    const taken = this.#ingest.finish(read.map(({ take }) => take));
    for (const [at, { index }] of read.entries()) outcomes[index] = taken[at] as Taken;
    return outcomes;
  }

  #sessionOf(take: FileIngest): number {
    this.#lastSession += 1;
    this.#ingests.set(this.#lastSession, take);
    return this.#lastSession;
  }

  /** Null: there is more to read. Any other result, or an error, ends the session. */
  continueTake(session: number): Taken | null {
    const take = this.#take(session);
    this.#ingests.delete(session);
    const next = this.#ingest.next(take);
    if (next === "read") return this.#ingest.finish([take])[0] as Taken;
    if (next !== "more") return next;
    this.#ingests.set(session, take);
    return null;
  }

  discardTake(session: number): void {
    const take = this.#take(session);
    this.#ingests.delete(session);
    this.#ingest.discard(take);
  }

  differences(placements: readonly Placement[]): ViewDifference[] {
    return viewDifferences(this.#disk, this.#layout, placements);
  }

  #take(session: number): FileIngest {
    const take = this.#ingests.get(session);
    if (take === undefined) throw new Error(`no ingest has the number ${session}`);
    return take;
  }

  #open(object: string | FoundAt, expected: ExpectedObject): ObjectRead | null {
    const read = openObject(this.#disk, this.#layout, object, expected);
    if (read === null) this.#objects.requireMounted();
    return read;
  }

  #write(session: number): ObjectWrite {
    const write = this.#writes.get(session);
    if (write === undefined) throw new Error(`no write has the number ${session}`);
    return write;
  }
}
