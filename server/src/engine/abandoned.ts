import type { Catalog } from "../catalog/catalog.ts";
import type { ObjectId } from "../catalog/rows.ts";
import type { Clock } from "./clock.ts";
import { commitAllOf } from "./commit-all.ts";

/** Maximum number of rows per commit. Other changes can commit between two batches. */
const BATCH = 500;

/**
 * Abandons staged objects of this process, and those that earlier processes orphaned. Abandoned objects
 * become garbage. A start deletes no other objects.
 *
 * State: orphans remain until a batch finds fewer than BATCH. Objects of this process are pending until the
 * catalog has recorded them.
 */
export class Abandoned {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #owner: string;
  readonly #own = new Set<ObjectId>();
  #orphansLeft = true;

  constructor(catalog: Catalog, clock: Clock, owner: string) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#owner = owner;
  }

  /**
   * Abandons objects of this process. Records them in the catalog before it resolves or, where the catalog
   * cannot be written, in a later batch.
   */
  async add(objects: readonly ObjectId[]): Promise<void> {
    for (const object of objects) this.#own.add(object);
    try {
      await this.#abandon(objects);
    } catch {}
  }

  /** Records up to BATCH orphans or pending objects. Returns their number; 0: none are left. */
  async batch(): Promise<number> {
    if (this.#orphansLeft) {
      const change = { kind: "abandonOrphaned", owner: this.#owner, limit: BATCH } as const;
      const count = await this.#catalog.commit({ ...change, at: this.#clock.now() });
      if (count < BATCH) this.#orphansLeft = false;
      if (count > 0) return count;
    }
    const own = [...this.#own].slice(0, BATCH);
    await this.#abandon(own);
    return own.length;
  }

  /** Records objects as abandoned. Has no effect on an object whose write was committed, which is not staged. */
  async #abandon(objects: readonly ObjectId[]): Promise<void> {
    const at = this.#clock.now();
    await commitAllOf(
      this.#catalog,
      objects.map((object) => ({ kind: "abandon" as const, object, at })),
    );
    for (const object of objects) this.#own.delete(object);
  }
}
