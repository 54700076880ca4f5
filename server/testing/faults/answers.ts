import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ExpectedArtifact } from "../crash-model/expected.ts";
import type { Fault, Place } from "./fault-injector.ts";

/** Null: it was done. */
export function refusalOf(asked: Promise<void>): Promise<Error | null> {
  return asked.then(
    () => null,
    (error: Error) => error,
  );
}

export function isUnknown(refused: Error): boolean {
  return refused instanceof Refused && refused.facts.outcome === "unknown";
}

/** What is wrong with how it was refused when calls failed in these places, as sentences. Rethrows what is no refusal. */
export function wrongRefusal(refused: Error, struck: ReadonlySet<Place>, { code }: Fault): string[] {
  if (!(refused instanceof Refused)) throw refused;
  const ofPlaces = [...struck].map((place) => (place === "disk" ? "TIER_UNAVAILABLE" : "UNAVAILABLE"));
  const rightOnes = code === "ENOSPC" ? ["STORAGE_FULL"] : ofPlaces;
  if (rightOnes.includes(refused.code)) return [];
  const mustBe = rightOnes.join(" or ") || "done";
  return [`it was refused as ${refused.code} (${refused.message}), and must be ${mustBe}`];
}

/** How a step of a job was not done as it was answered, as sentences. */
export function wrongStep(
  path: string,
  before: ExpectedArtifact | undefined,
  isAs: ExpectedArtifact | undefined,
  toTier: Tier | null,
  refused: Error | null,
): string[] {
  if (isAs?.tier !== before?.tier) {
    if (refused !== null && !isUnknown(refused)) return [`${path} was refused, and done`];
    const isIn = isAs?.tier ?? null;
    return isIn === toTier ? [] : [`${path} went to ${isIn} instead of ${toTier}`];
  }
  if (refused === null) return [`${path} was answered as done, and was not`];
  const [is, was] = [isAs, before].map((artifact) => JSON.stringify(artifact));
  return is === was ? [] : [`${path} was refused, and is ${is} instead of ${was}`];
}
