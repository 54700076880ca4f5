import { chainedLines } from "../../src/audit/jsonl-line.ts";
import { newKeyPem, signingKey } from "../../src/audit/signing-key.ts";
import type { Catalog } from "../../src/catalog/catalog.ts";
import type { Change } from "../../src/catalog/changes.ts";
import { tempDir } from "../sqlite/temp-dir.ts";
import { catalogIn, SampleLog } from "./sample-log.ts";

export const LOG = "lifecycle_events.jsonl";
export const SECOND = "lifecycle_events.2.jsonl";
export const THIRD = "lifecycle_events.3.jsonl";

export const KEY = signingKey(newKeyPem());

/** A sample log in a temporary folder. Disposing it deletes the folder. */
export class AuditStore extends SampleLog {
  readonly #folder: Disposable;

  private constructor(catalog: Catalog, folder: ReturnType<typeof tempDir>) {
    super(catalog, folder.path, KEY);
    this.#folder = folder;
  }

  static async open(): Promise<AuditStore> {
    const folder = tempDir();
    return new AuditStore(await catalogIn(folder.path), folder);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }

  /** Returns the expected contents of segments, given their numbers and last seqs: consecutive lines of one chain. */
  async lines(...segments: readonly (readonly [number: number, lastSeq?: number])[]): Promise<string[]> {
    const { events } = await this.catalog.eventsAfter({}, 0, 10_000);
    let from = 0;
    let prev: string | null = null;
    return segments.map(([segment, lastSeq = events.length]) => {
      const { bytes, head } = chainedLines(events.slice(from, lastSeq), { segment, prev });
      from = lastSeq;
      prev = head;
      return bytes.toString();
    });
  }
}

/** Returns `catalog` with its `commit` replaced. */
export function withCommit(catalog: Catalog, commit: (change: Change) => Promise<unknown>): Catalog {
  return new Proxy(catalog, {
    get: (_target, name: keyof Catalog) => {
      const member: unknown = name === "commit" ? commit : catalog[name];
      return typeof member === "function" ? member.bind(catalog) : member;
    },
  });
}
