import { requireIdempotencyKey } from "../../domain/idempotency-keys.ts";
import { requireIdentifier, requireKey } from "../../domain/identifiers.ts";
import type { ArtifactKey } from "../../domain/keys.ts";
import { Refused } from "../../domain/refusals.ts";
import { parseJobGlobalId } from "./global-ids.ts";

/** Maximum number of keys or ids in one list. */
export const MAX_KEYS = 500;

export const MAX_WAIT_SECONDS = 60;

type Optional<T> = T | null | undefined;

/**
 * Returns a list that narrows a request; undefined if it is not given. @throws Refused BAD_USER_INPUT for an
 * empty list
 */
export function optionalItems<T>(items: Optional<readonly T[]>, argument: string): readonly T[] | undefined {
  if (items == null) return undefined;
  if (items.length > 0) return items;
  throw new Refused("BAD_USER_INPUT", `${argument} is empty. Omit it, or give at least one value.`, {
    argument,
  });
}

/**
 * Returns the given items of `all`, in the order of `all` and without duplicates, so that equal sets give
 * equal filters; undefined if no list is given.
 *
 * @throws Refused BAD_USER_INPUT for an empty list
 */
export function optionalSubset<T>(
  all: readonly T[],
  items: Optional<readonly T[]>,
  argument: string,
): readonly T[] | undefined {
  const given = optionalItems(items, argument);
  return given && all.filter((item) => given.includes(item));
}

/** @throws Refused INVALID_IDENTIFIER */
export function optionalIdentifier(
  kind: "tenantId" | "workflowId" | "artifactId",
  value: Optional<string>,
  argument: string = kind,
): string | undefined {
  return value == null ? undefined : requireIdentifier(kind, value, argument);
}

/** Description of `idempotencyKey` in every mutation's input. */
export const IDEMPOTENCY_KEY =
  "Makes a retry of this mutation safe: 1 to 200 printable ASCII characters, else BAD_USER_INPUT. Use a new key for each change. A retry by the same caller with the same key within 24 hours returns the first result and changes nothing. The same key with another input: CONFLICT.";

/** @throws Refused BAD_USER_INPUT */
export function optionalIdempotencyKey(input: {
  readonly idempotencyKey?: string | null | undefined;
}): string | undefined {
  const { idempotencyKey } = input;
  return idempotencyKey == null ? undefined : requireIdempotencyKey(idempotencyKey, "input.idempotencyKey");
}

/**
 * Returns `keys`. @throws Refused BAD_USER_INPUT for an empty list or over 500 keys, INVALID_IDENTIFIER for
 * an invalid key
 */
export function requireKeys(keys: readonly ArtifactKey[], argument: string): readonly ArtifactKey[] {
  if (keys.length === 0)
    throw new Refused("BAD_USER_INPUT", `${argument} is empty. Give at least one key.`, { argument });
  requireAtMost(MAX_KEYS, keys, argument);
  for (const [index, key] of keys.entries()) requireKey(key, `${argument}.${index}.`);
  return keys;
}

/** @throws Refused BAD_USER_INPUT */
export function requireAtMost(most: number, items: readonly unknown[], argument: string): void {
  if (items.length <= most) return;
  throw new Refused(
    "BAD_USER_INPUT",
    `${argument} has ${items.length} entries. At most ${most} are allowed.`,
    { argument },
  );
}

/** Returns `seconds`. @throws Refused BAD_USER_INPUT outside 0 to 60 */
export function requireWaitSeconds(seconds: number, argument: string): number {
  if (seconds >= 0 && seconds <= MAX_WAIT_SECONDS) return seconds;
  throw new Refused("BAD_USER_INPUT", `${argument} is ${seconds}. Give 0 to ${MAX_WAIT_SECONDS}.`, {
    argument,
  });
}

/**
 * Returns the job id that a global id names. @throws Refused NOT_FOUND for the id of another type, or a
 * malformed one
 */
export function requireJobId(id: string, argument: string): string {
  const jobId = parseJobGlobalId(id);
  if (jobId !== null) return jobId;
  throw new Refused("NOT_FOUND", "There is no job with this id. List the jobs with the query jobs.", {
    argument,
  });
}

/** Returns text that can be stored and sent as UTF-8. @throws Refused BAD_USER_INPUT for a lone surrogate */
export function requireWellFormed(text: string, argument: string): string {
  if (text.isWellFormed()) return text;
  throw new Refused(
    "BAD_USER_INPUT",
    `${argument} is not well-formed Unicode: it contains a lone surrogate.`,
    { argument },
  );
}
