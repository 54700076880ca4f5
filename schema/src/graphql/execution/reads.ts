import { DEFAULT_LIMITS, type DocumentLimits } from "../../domain/limits.ts";
import type { Principal } from "../../domain/principal.ts";
import { Refused } from "../../domain/refusals.ts";
import type { Charge } from "../../services/charge.ts";
import type { ReadTerms } from "../../services/read-terms.ts";
import type { Services } from "../../services/services.ts";
import { AnswerBudget } from "../limits/answer-budget.ts";
import { nextTurn } from "../limits/turns.ts";
import { Loaders } from "./loaders.ts";

/** Maximum content that one response may contain as text or base64, in bytes before encoding. */
export const MAX_INLINE_BYTES_PER_REQUEST = 16 * 1024 * 1024;

export interface ReadsParts {
  readonly services: Services;
  readonly principal: Principal;
  readonly charge: Charge;
  /** Default: the limits of a server without settings. */
  readonly limits?: Pick<DocumentLimits, "maxResponseBytes" | "maxScannedRows"> | undefined;
  /** Aborts when the client no longer waits for the response. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The reads of one request: its loaders, its clock, and its budgets for the response, inline content and
 * scanned rows.
 */
export class Reads {
  readonly #services: Services;
  readonly #principal: Principal;
  #loaders: Loaders | undefined;
  #now: number | undefined;
  #inlineBytes = 0;
  #scannedRows = 0;
  readonly #scans = new Set<"list" | "count">();
  #lastPage: Promise<void> | undefined;
  /** Counts the bytes of the response while it is built. */
  readonly answer: AnswerBudget;
  /** Passed to every read of a list. */
  readonly terms: ReadTerms;

  constructor({ services, principal, charge, limits = DEFAULT_LIMITS.document, signal }: ReadsParts) {
    this.#services = services;
    this.#principal = principal;
    this.answer = new AnswerBudget(limits.maxResponseBytes, charge);
    this.terms = {
      signal,
      // The first list and the first count may scan the complete store; only further ones are limited.
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
   * Reads pages one after the other, each in a separate turn of the event loop. The rows of a page are
   * counted before the next page is read, and other requests run in between.
   *
   * @throws Refused if the response has exceeded its budget, and what `read` throws
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

  /** The instant of the response, ms since the epoch. All ages in it use the same instant. */
  get now(): number {
    this.#now ??= this.#services.now();
    return this.#now;
  }

  /**
   * Counts `bytes` of inline content, before they are read. @throws Refused QUERY_TOO_COMPLEX over 16 MiB in
   * one request
   */
  spendInline(bytes: number): void {
    if (this.#inlineBytes + bytes > MAX_INLINE_BYTES_PER_REQUEST) {
      throw new Refused(
        "QUERY_TOO_COMPLEX",
        "One request returns at most 16 MiB of content as text or base64. Request fewer artifacts at a time, or download them from their downloadUrl.",
      );
    }
    this.#inlineBytes += bytes;
  }

  /** Clears the loaders and the clock after a change. */
  forget(): void {
    this.#loaders = undefined;
    this.#now = undefined;
  }

  /** Resets everything for the next event of a subscription, which is a separate response. */
  startOver(): void {
    this.forget();
    this.answer.startOver();
    this.#inlineBytes = 0;
    this.#scannedRows = 0;
    this.#scans.clear();
  }
}
