import { requireIdempotencyKey } from "../../domain/idempotency-keys.ts";
import { requireIdentifier, requireKey } from "../../domain/identifiers.ts";
import type { ArtifactKey } from "../../domain/keys.ts";
import { Refused } from "../../domain/refusals.ts";
import { parseJobGlobalId } from "./global-ids.ts";

/** Most keys or ids in one list. */
export const MAX_KEYS = 500;

export const MAX_WAIT_SECONDS = 60;

type Optional<T> = T | null | undefined;

/** A list that narrows something: not given, or at least one entry. @throws Refused BAD_USER_INPUT for an empty one */
export function optionalItems<T>(items: Optional<readonly T[]>, argument: string): readonly T[] | undefined {
  if (items == null) return undefined;
  if (items.length > 0) return items;
  throw new Refused("BAD_USER_INPUT", `${argument} is empty. Leave it out, or name at least one.`, {
    argument,
  });
}

/** Some of `all`, in the order of `all` and each once, so that two spellings of one set are one filter. @throws Refused BAD_USER_INPUT for none */
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

/** Describes the field of every mutation's input. */
export const IDEMPOTENCY_KEY =
  "Makes it safe to repeat this: 1 to 200 printable ASCII characters, new for each change, else BAD_USER_INPUT. A repeat by the same caller within 24 hours answers as the first did and changes nothing; with another input: CONFLICT.";

/** @throws Refused BAD_USER_INPUT */
export function optionalIdempotencyKey(input: {
  readonly idempotencyKey?: string | null | undefined;
}): string | undefined {
  const { idempotencyKey } = input;
  return idempotencyKey == null ? undefined : requireIdempotencyKey(idempotencyKey, "input.idempotencyKey");
}

/** @throws Refused BAD_USER_INPUT for no keys or more than 500, INVALID_IDENTIFIER for a bad one */
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
    `${argument} has ${items.length} entries; at most ${most} are allowed.`,
    { argument },
  );
}

/** @throws Refused BAD_USER_INPUT out of 0 to 60 */
export function requireWaitSeconds(seconds: number, argument: string): number {
  if (seconds >= 0 && seconds <= MAX_WAIT_SECONDS) return seconds;
  throw new Refused("BAD_USER_INPUT", `${argument} is ${seconds}; give 0 to ${MAX_WAIT_SECONDS}.`, {
    argument,
  });
}

/** The job that a global id names. @throws Refused NOT_FOUND for an id of anything else */
export function requireJobId(id: string, argument: string): string {
  const jobId = parseJobGlobalId(id);
  if (jobId !== null) return jobId;
  throw new Refused("NOT_FOUND", "There is no job of this id.", { argument });
}

/** Text that can be stored and sent as UTF-8. @throws Refused BAD_USER_INPUT for a surrogate that stands alone */
export function requireWellFormed(text: string, argument: string): string {
  if (text.isWellFormed()) return text;
  throw new Refused(
    "BAD_USER_INPUT",
    `${argument} is not well-formed Unicode: a surrogate stands alone in it.`,
    { argument },
  );
}
