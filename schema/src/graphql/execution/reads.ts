import { DEFAULT_LIMITS, type DocumentLimits } from "../../domain/limits.ts";
import type { Principal } from "../../domain/principal.ts";
import { Refused } from "../../domain/refusals.ts";
import type { Charge } from "../../services/charge.ts";
import type { ReadTerms } from "../../services/read-terms.ts";
import type { Services } from "../../services/services.ts";
import { AnswerBudget } from "../limits/answer-budget.ts";
import { nextTurn } from "../limits/turns.ts";
import { Loaders } from "./loaders.ts";

/** Most content that one answer may carry as text or base64, in bytes of the content itself. */
export const MAX_INLINE_BYTES_PER_REQUEST = 16 * 1024 * 1024;

export interface ReadsParts {
  readonly services: Services;
  readonly principal: Principal;
  readonly charge: Charge;
  /** Default: those of a server without settings. */
  readonly limits?: Pick<DocumentLimits, "maxResponseBytes" | "maxScannedRows"> | undefined;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

/** What one request has read so far, and how much of it may still be inline content. */
export class Reads {
  readonly #services: Services;
  readonly #principal: Principal;
  #loaders: Loaders | undefined;
  #now: number | undefined;
  #inlineBytes = 0;
  #scannedRows = 0;
  readonly #scans = new Set<"list" | "count">();
  #lastPage: Promise<void> | undefined;
  /** Counts the answer while it is built. */
  readonly answer: AnswerBudget;
  /** Goes with every list that is read. */
  readonly terms: ReadTerms;

  constructor({ services, principal, charge, limits = DEFAULT_LIMITS.document, signal }: ReadsParts) {
    this.#services = services;
    this.#principal = principal;
    this.answer = new AnswerBudget(limits.maxResponseBytes, charge);
    this.terms = {
      signal,
      // One list, with its count, may look at a whole store: it is several that are too many.
      rowsLeft: (read) => {
        const isFirst = !this.#scans.has(read);
        this.#scans.add(read);
        return isFirst ? null : Math.max(0, limits.maxScannedRows - this.#scannedRows);
      },
      scanned: (rows) => {
        this.#scannedRows += rows;
      },
    };
  }

  get loaders(): Loaders {
    this.#loaders ??= new Loaders(this.#services, this.#principal, (read) => this.inTurn(read));
    return this.#loaders;
  }

  /**
   * Reads one page after the other, each in a turn of the event loop of its own: the rows of one have been counted before
   * the next one is read, and other requests go between them.
   *
   * @throws Refused once the answer has been refused, and what `read` throws
   */
  async inTurn<T>(read: () => Promise<T>): Promise<T> {
    const before = this.#lastPage;
    const over = Promise.withResolvers<void>();
    this.#lastPage = over.promise;
    await before;
    try {
      this.answer.require();
      return await read();
    } finally {
      void nextTurn().then(over.resolve);
    }
  }

  /** One instant for all of an answer, ms since the epoch: two ages in it can be compared. */
  get now(): number {
    this.#now ??= this.#services.now();
    return this.#now;
  }

  /** Counts `bytes` of inline content. @throws Refused QUERY_TOO_COMPLEX, before anything is read, over 16 MiB in one request */
  spendInline(bytes: number): void {
    if (this.#inlineBytes + bytes > MAX_INLINE_BYTES_PER_REQUEST) {
      throw new Refused(
        "QUERY_TOO_COMPLEX",
        "One request returns at most 16 MiB of content as text or base64. Ask for fewer artifacts at a time, or fetch their downloadUrl.",
      );
    }
    this.#inlineBytes += bytes;
  }

  /** After a change: what has been read may no longer be so. */
  forget(): void {
    this.#loaders = undefined;
    this.#now = undefined;
  }

  /** For the next event of a subscription, which is an answer of its own. */
  startOver(): void {
    this.forget();
    this.answer.startOver();
    this.#inlineBytes = 0;
    this.#scannedRows = 0;
    this.#scans.clear();
  }
}
