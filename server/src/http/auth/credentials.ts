import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";

/** Who asks, and for how long that stands. */
export interface Credentials {
  readonly principal: Principal;
  /** ms since the epoch; null: they do not expire. */
  readonly expiresAt: number | null;
  /** Aborts when they are revoked; null: they cannot be. */
  readonly revoked: AbortSignal | null;
}

/** Where no authentication is configured, and of commands on this machine that know the owner's token. */
export const LOCAL: Credentials = lasting({ actor: "local", role: "ADMIN", tenants: null });

/** Of whoever has not said who it is. It may see nothing, so a way in that forgets to ask gives nothing away. */
export const ANONYMOUS: Credentials = lasting({ actor: "anonymous", role: "READER", tenants: [] });

export function lasting(principal: Principal): Credentials {
  return { principal, expiresAt: null, revoked: null };
}

/** The longest that a timer can be set for. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The one refusal of credentials. What is wrong with them is for the log alone: whoever tries some learns nothing.
 *
 * @param reason for the log; it repeats nothing of what was sent
 */
export function unauthenticated(reason: string): Refused {
  return new Refused(
    "UNAUTHENTICATED",
    "No valid credentials were given. Send Authorization: Bearer with a token that is valid here.",
    {},
    { cause: new Error(reason) },
  );
}

/** @throws Refused UNAUTHENTICATED where they have expired or been revoked */
export function requireValid({ expiresAt, revoked }: Credentials): void {
  if (revoked?.aborted) throw unauthenticated("revoked meanwhile");
  if (expiresAt !== null && expiresAt <= Date.now()) throw unauthenticated("expired meanwhile");
}

/** Calls back once, as soon as they have expired or been revoked; answers with how to wait no longer. */
export function onLapse({ expiresAt, revoked }: Credentials, lapsed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    clearTimeout(timer);
    revoked?.removeEventListener("abort", end);
  };
  function end(): void {
    stop();
    lapsed();
  }
  function wait(until: number): void {
    const left = until - Date.now();
    if (left <= 0) end();
    else timer = setTimeout(wait, Math.min(left, MAX_TIMER_MS), until).unref();
  }
  revoked?.addEventListener("abort", end, { once: true });
  if (revoked?.aborted) end();
  else if (expiresAt !== null) wait(expiresAt);
  return stop;
}
