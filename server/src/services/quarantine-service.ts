import type { Principal } from "@tierkeep/schema/domain/principal";
import type { Refused } from "@tierkeep/schema/domain/refusals";
import type {
  EmptyQuarantineOptions,
  Quarantine,
  QuarantinedFile,
  QuarantineService,
} from "@tierkeep/schema/services/quarantine";
import type { Catalog } from "../catalog/catalog.ts";
import type { IdempotencyKey } from "../catalog/idempotency.ts";
import type { Clock } from "../engine/clock.ts";
import { idempotencyKeyOf } from "../engine/idempotency.ts";
import type { TierStore } from "../tiers/tier-store.ts";

/** Files whose events are committed together before they are deleted. */
const FILES_AT_ONCE = 200;

interface Parts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly stores: ReadonlyMap<string, TierStore>;
  /** Why nothing may be purged now; null: purging is allowed. */
  readonly purgeRefusal: () => Promise<Refused | null>;
}

type Found = QuarantinedFile & { readonly store: string };

/** Lists and deletes quarantined files. */
export class EngineQuarantine implements QuarantineService {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async list(_principal: Principal, limit: number): Promise<Quarantine> {
    const found = await this.#found();
    return { ...summaryOf(found), files: found.slice(0, limit) };
  }

  /**
   * Commits the events of a batch before it deletes the files, and stores the result with the last batch.
   * After a crash, the next call deletes the rest. A file whose deletion was interrupted then gets a second
   * event.
   */
  async empty(
    principal: Principal,
    { movedBefore, dryRun, idempotencyKey }: EmptyQuarantineOptions,
  ): Promise<Quarantine> {
    const { catalog, clock, purgeRefusal } = this.#parts;
    const { actor } = principal;
    const request = { operation: "emptyQuarantine", movedBefore, dryRun };
    const once = idempotencyKeyOf(principal, idempotencyKey, clock.now(), request);
    const isRetry = once !== undefined && (await catalog.hasAnswer(once));
    const found = isRetry ? [] : await this.#found();
    const chosen = found.filter(({ movedAt }) => movedAt < (movedBefore ?? Number.POSITIVE_INFINITY));
    const result = summaryOf(chosen);
    const deleted = dryRun ? [] : chosen;
    const refused = deleted.length > 0 ? await purgeRefusal() : null;
    if (refused !== null) throw refused;
    let start = 0;
    for (; start + FILES_AT_ONCE < deleted.length; start += FILES_AT_ONCE)
      await this.#delete(actor, deleted.slice(start, start + FILES_AT_ONCE), result, undefined);
    const answer = await this.#delete(actor, deleted.slice(start), result, once);
    return { ...answer, files: chosen };
  }

  async #delete(
    actor: string,
    files: readonly Found[],
    result: Omit<Quarantine, "files">,
    once: IdempotencyKey | undefined,
  ): Promise<Omit<Quarantine, "files">> {
    const { catalog, clock, stores } = this.#parts;
    if (files.length === 0 && once === undefined) return result;
    const logged = files.map(({ name, sizeBytes }) => ({ name, sizeBytes }));
    const at = clock.now();
    const answer = await catalog.commit({ kind: "emptyQuarantine", at, actor, files: logged, result, once });
    for (const { store, name } of files) await stores.get(store)?.deleteQuarantined([name]);
    return answer;
  }

  /** Oldest first. */
  async #found(): Promise<readonly Found[]> {
    const found = await Promise.all(
      [...this.#parts.stores.values()].map(async (store) =>
        (await store.quarantined()).map((file) => ({ ...file, store: store.id })),
      ),
    );
    return found.flat().sort((a, b) => a.movedAt - b.movedAt || (a.name < b.name ? -1 : 1));
  }
}

function summaryOf(files: readonly QuarantinedFile[]) {
  return { count: files.length, totalBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}
