import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";

/** An authenticated principal, and how long it is valid. */
export interface Credentials {
  readonly principal: Principal;
  /** ms since the epoch; null: no expiry. */
  readonly expiresAt: number | null;
  /** Aborts when the credentials are revoked; null: they cannot be. */
  readonly revoked: AbortSignal | null;
}

/** Used without configured authentication, and for commands on this machine that have the owner's token. */
export const LOCAL: Credentials = lasting({ actor: "local", role: "ADMIN", tenants: null });

/** Used until authentication succeeds. It sees no tenants, so a missing check reveals nothing. */
export const ANONYMOUS: Credentials = lasting({ actor: "anonymous", role: "READER", tenants: [] });

export function lasting(principal: Principal): Credentials {
  return { principal, expiresAt: null, revoked: null };
}

/** The longest delay of a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The only refusal of credentials. The response does not say what is wrong; only the log does.
 *
 * @param reason for the log; must not repeat anything from the request
 */
export function unauthenticated(reason: string): Refused {
  return new Refused(
    "UNAUTHENTICATED",
    "No valid credentials were given. Send Authorization: Bearer with a token that is valid here.",
    {},
    { cause: new Error(reason) },
  );
}

/** @throws Refused UNAUTHENTICATED if they have expired or been revoked */
export function requireValid({ expiresAt, revoked }: Credentials): void {
  if (revoked?.aborted) throw unauthenticated("revoked during the request");
  if (expiresAt !== null && expiresAt <= Date.now()) throw unauthenticated("expired during the request");
}

/** Calls `lapsed` once when the credentials expire or are revoked. Returns a function that stops waiting. */
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
