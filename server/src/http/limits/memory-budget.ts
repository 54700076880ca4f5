import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Charge } from "@tierkeep/schema/services/charge";
import type { Metric } from "../monitoring/metrics.ts";
import { ALLOWANCE_BYTES, MEMORY_PARTS, SMALL_BYTES } from "./limits.ts";
import type { Owner, OwnerKind } from "./owner.ts";

/** How long a refused owner counts as waiting after its last attempt, in ms. */
const WAITING_MS = 2_000;

/** Memory charge of one call. */
export interface CallCharge extends Charge {
  /** Bytes charged now. */
  readonly bytes: number;
  /** The last refusal. Code that reads a body may have turned it into another error. */
  readonly refused: Refused | null;
  /** Moves all charges, past and future, to another owner. Never refuses. */
  assign(owner: Owner): void;
  /** Replaces the charge so far by `bytes`. Never refuses, because the memory is already in use. */
  hold(bytes: number): void;
}

interface Account {
  readonly kind: OwnerKind;
  readonly key: string;
  bytes: number;
  /** Number of calls charged to this account. */
  calls: number;
}

/**
 * Limits the memory that all calls use together, in bytes, and tracks it per owner.
 *
 * Rules:
 * - An owner never has more than its part (see MEMORY_PARTS), so there is always space for others.
 * - While an owner waits for memory, no other owner may grow beyond an equal share.
 * - Large calls leave an eighth of every part to small ones.
 * - The first ALLOWANCE_BYTES of a principal or an address are always granted.
 * - The only call of its owner is always granted while no other owner uses memory: each request and response
 *   has its own limit.
 *
 * States of a charge: open (grows and shrinks with `add`, `hold` and `assign`), then released, in which it
 * ignores all calls. States of an owner: without calls (no account), with calls, and waiting for 2 s after a
 * refusal.
 */
export class MemoryBudget {
  readonly #most: number;
  readonly #now: () => number;
  readonly #accounts = new Map<string, Account>();
  readonly #byKind: Record<OwnerKind, number> = { principal: 0, url: 0, address: 0 };
  /** Refused owners, and until when they count as waiting, in ms of the monotonic clock. Oldest first. */
  readonly #waiting = new Map<string, number>();
  #bytes = 0;

  constructor(mostBytes: number, now: () => number = () => performance.now()) {
    this.#most = mostBytes;
    this.#now = now;
  }

  /** Bytes in use by all owners. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of owners with calls in progress. */
  get owners(): number {
    return this.#accounts.size;
  }

  charge(owner: Owner): CallCharge {
    let account = this.#open(owner);
    let own = 0;
    let refused: Refused | null = null;
    let released = false;
    return {
      get bytes() {
        return own;
      },
      get refused() {
        return refused;
      },
      add: (bytes) => {
        if (released) return;
        try {
          if (bytes > 0) this.#require(account, own, bytes);
        } catch (error) {
          refused = error as Refused;
          throw error;
        }
        const change = Math.max(bytes, -own);
        own += change;
        this.#change(account, change);
      },
      hold: (bytes) => {
        if (released) return;
        this.#change(account, bytes - own);
        own = bytes;
      },
      assign: (next) => {
        if (released) return;
        this.#change(account, -own);
        this.#close(account);
        account = this.#open(next);
        this.#change(account, own);
      },
      release: () => {
        if (released) return;
        released = true;
        this.#change(account, -own);
        own = 0;
        this.#close(account);
      },
    };
  }

  #open({ kind, name }: Owner): Account {
    const key = `${kind} ${name}`;
    const known = this.#accounts.get(key);
    const account = known ?? { kind, key, bytes: 0, calls: 0 };
    account.calls += 1;
    if (known === undefined) this.#accounts.set(key, account);
    return account;
  }

  #close(account: Account): void {
    account.calls -= 1;
    if (account.calls === 0) this.#accounts.delete(account.key);
  }

  #change(account: Account, bytes: number): void {
    account.bytes += bytes;
    this.#byKind[account.kind] += bytes;
    this.#bytes += bytes;
  }

  /** @throws Refused RATE_LIMITED */
  #require(account: Account, ownCall: number, bytes: number): void {
    const next = account.bytes + bytes;
    if (account.kind !== "url" && next <= ALLOWANCE_BYTES) return;
    if (this.#bytes === ownCall) return;
    const parts = MEMORY_PARTS[account.kind];
    const most = ownCall + bytes > SMALL_BYTES ? (this.#most * 7) / 8 : this.#most;
    // A principal's only call may exceed its part: the principal can do nothing else until it ends.
    const alone = account.kind === "principal" && account.bytes === ownCall;
    if (next > most * parts.one && !alone) {
      throw limited("Your requests and unread responses have reached the memory limit of one caller.");
    }
    const full = this.#bytes + bytes > most;
    const kindFull = this.#byKind[account.kind] + bytes > most * parts.all;
    if (full || kindFull || next > this.#share(account)) {
      this.#wait(account);
      throw limited("Requests and responses have reached the server's memory limit.");
    }
  }

  /** Returns an equal share of all memory while another owner waits; otherwise unlimited. */
  #share({ key }: Account): number {
    this.#forgetExpired();
    if (this.#waiting.size - Number(this.#waiting.has(key)) === 0) return Number.POSITIVE_INFINITY;
    let owners = this.#waiting.size;
    for (const each of this.#accounts.values()) {
      if (each.bytes > ALLOWANCE_BYTES && !this.#waiting.has(each.key)) owners += 1;
    }
    return Math.max(ALLOWANCE_BYTES, this.#most / owners);
  }

  #wait({ key }: Account): void {
    this.#waiting.delete(key);
    this.#waiting.set(key, this.#now() + WAITING_MS);
  }

  #forgetExpired(): void {
    if (this.#waiting.size === 0) return;
    const now = this.#now();
    for (const [key, until] of this.#waiting) {
      if (until > now) return;
      this.#waiting.delete(key);
    }
  }
}

export function memoryBudgetMetrics({ bytes }: MemoryBudget): readonly Metric[] {
  return [
    {
      name: "tierkeep_held_bytes",
      help: "Bytes of requests in progress and of unsent responses.",
      type: "gauge",
      value: bytes,
    },
  ];
}

function limited(what: string): Refused {
  return new Refused("RATE_LIMITED", `${what} Wait, then try again.`, { retryAfterSeconds: 1 });
}
