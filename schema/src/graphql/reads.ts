import type { Principal } from "../domain/principal.ts";
import { Refused } from "../domain/refusals.ts";
import type { Services } from "../services/services.ts";
import { Loaders } from "./loaders.ts";

/** Most content that one answer may carry as text or base64, in bytes of the content itself. */
export const MAX_INLINE_BYTES_PER_REQUEST = 16 * 1024 * 1024;

/** What one request has read so far, and how much of it may still be inline content. */
export class Reads {
  readonly #services: Services;
  readonly #principal: Principal;
  #loaders: Loaders | undefined;
  #now: number | undefined;
  #inlineBytes = 0;

  constructor(services: Services, principal: Principal) {
    this.#services = services;
    this.#principal = principal;
  }

  get loaders(): Loaders {
    this.#loaders ??= new Loaders(this.#services, this.#principal);
    return this.#loaders;
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
    this.#inlineBytes = 0;
  }
}
