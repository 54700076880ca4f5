import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Charge } from "@tierkeep/schema/services/charge";
import type { Metric } from "../monitoring/metrics.ts";
import { ALLOWANCE_BYTES, MEMORY_PARTS, SMALL_BYTES } from "./limits.ts";
import type { Owner, OwnerKind } from "./owner.ts";

/** A refused owner counts as waiting for this long after its last attempt. */
const WAITING_MS = 2_000;

/** What one call uses. */
export interface CallCharge extends Charge {
  /** Bytes charged now. */
  readonly bytes: number;
  /** The last refusal: code that reads a body may turn it into another error. */
  readonly refused: Refused | null;
  /** Charges everything so far, and what follows, to another owner. Nothing is refused here. */
  assign(owner: Owner): void;
  /** Replaces what was charged so far by `bytes`. Nothing is refused here: the memory is in use already. */
  hold(bytes: number): void;
}

interface Account {
  readonly kind: OwnerKind;
  readonly key: string;
  bytes: number;
  /** Calls that are charged to it. */
  calls: number;
}

/**
 * The memory that calls may use together, in bytes, and who uses it.
 *
 * - One owner never has more than its part (see MEMORY_PARTS), so that there is always room for others.
 * - While an owner waits for memory, no other one may grow beyond an equal share.
 * - Large calls leave an eighth of every part to small ones.
 * - The first ALLOWANCE_BYTES of a principal or an address are always granted.
 * - A call that is its owner's only one, while no other owner uses anything, always fits: each request and answer has
 *   a limit of its own.
 */
export class MemoryBudget {
  readonly #most: number;
  readonly #now: () => number;
  readonly #accounts = new Map<string, Account>();
  readonly #byKind: Record<OwnerKind, number> = { principal: 0, url: 0, address: 0 };
  /** Owners that were refused, and until when they count as waiting, ms of the monotonic clock. Oldest first. */
  readonly #waiting = new Map<string, number>();
  #bytes = 0;

  constructor(mostBytes: number, now: () => number = () => performance.now()) {
    this.#most = mostBytes;
    this.#now = now;
  }

  /** Bytes in use, of all owners. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Owners that have calls under way. */
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
    // A principal's only call may be larger than its part: it ends, and another one follows.
    const alone = account.kind === "principal" && account.bytes === ownCall;
    if (next > most * parts.one && !alone) {
      throw limited("Your requests and unread answers use as much memory as one caller may.");
    }
    const full = this.#bytes + bytes > most;
    const kindFull = this.#byKind[account.kind] + bytes > most * parts.all;
    if (full || kindFull || next > this.#share(account)) {
      this.#wait(account);
      throw limited("The server uses as much memory for requests and answers as it may.");
    }
  }

  /** An equal share of all memory, while another owner waits; else no bound. */
  #share({ key }: Account): number {
    this.#forgetPast();
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

  #forgetPast(): void {
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
  return new Refused("RATE_LIMITED", `${what} Wait, and try again.`, { retryAfterSeconds: 1 });
}
