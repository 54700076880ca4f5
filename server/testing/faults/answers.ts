import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import { StorageError, type StorageErrorKind } from "../../src/tiers/storage-error.ts";
import type { ExpectedArtifact } from "../crash-model/expected.ts";
import type { Fault, Place } from "./fault-injector.ts";

/** The kinds of the storage errors for these codes. */
const KINDS: Readonly<Record<Fault["code"], readonly StorageErrorKind[]>> = {
  EIO: ["UNREADABLE", "UNAVAILABLE"],
  ENOSPC: ["FULL"],
  EACCES: ["DENIED"],
};

/** Resolves with the error of a request, or null if it succeeded. */
export function refusalOf(request: Promise<void>): Promise<Error | null> {
  return request.then(
    () => null,
    (error: Error) => error,
  );
}

export function isUnknown(refused: Error): boolean {
  return refused instanceof Refused && refused.facts.outcome === "unknown";
}

/** Checks the code of a refusal after calls failed in these places. Returns sentences. @throws the error if it is no refusal */
export function wrongRefusal(refused: Error, struck: ReadonlySet<Place>, { code }: Fault): string[] {
  if (!(refused instanceof Refused)) throw refused;
  const ofPlaces = [...struck].map((place) => (place === "disk" ? "TIER_UNAVAILABLE" : "UNAVAILABLE"));
  const rightOnes = code === "ENOSPC" ? ["STORAGE_FULL"] : ofPlaces;
  const mustBe = rightOnes.join(" or ") || "done";
  if (!rightOnes.includes(refused.code))
    return [`it was refused as ${refused.code} (${refused.message}), but must be ${mustBe}`];
  const { cause } = refused;
  if (cause instanceof StorageError && !KINDS[code].includes(cause.kind))
    return [`it was refused because of ${cause.kind}, but must be because of ${KINDS[code].join(" or ")}`];
  return [];
}

/** Checks that the result of a job's step matches its answer. Returns sentences. */
export function wrongStep(
  path: string,
  before: ExpectedArtifact | undefined,
  isAs: ExpectedArtifact | undefined,
  toTier: Tier | null,
  refused: Error | null,
): string[] {
  if (isAs?.tier !== before?.tier) {
    if (refused !== null && !isUnknown(refused)) return [`${path} was refused, but done`];
    const isIn = isAs?.tier ?? null;
    return isIn === toTier ? [] : [`${path} went to ${isIn} instead of ${toTier}`];
  }
  if (refused === null) return [`${path} was acknowledged, but not done`];
  const [is, was] = [isAs, before].map((artifact) => JSON.stringify(artifact));
  return is === was ? [] : [`${path} was refused, but is ${is} instead of ${was}`];
}
