import { requireContentType } from "@tierkeep/schema/domain/content-types";
import { inexactNumberIn } from "@tierkeep/schema/domain/exact-numbers";
import type { StoreFinding, StoreFindingKind } from "@tierkeep/schema/domain/findings";
import { isHeld, RETENTION_OVERRIDE } from "@tierkeep/schema/domain/holds";
import { type ArtifactKey, keyOf, keyText } from "@tierkeep/schema/domain/keys";
import { type Metadata, requireMetadata } from "@tierkeep/schema/domain/metadata";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { AdoptedArtifact } from "../catalog/job-changes.ts";
import { contentTypeOf } from "../engine/content-type.ts";
import { type FoundFile, modifiedMs } from "../tiers/tier-view.ts";

/** The file under a key that becomes the artifact, and the files that conflict with it. */
export interface Choice {
  readonly winner: FoundFile;
  /** Other files under the key, in other tiers. Further links to the winner do not count. */
  readonly losers: readonly FoundFile[];
}

/**
 * Chooses the higher version, then the later modification, then the hotter tier. `files` must not be empty.
 */
export function chooseFile(files: readonly FoundFile[]): Choice {
  const [winner] = files.toSorted(
    (a, b) =>
      versionOf(b) - versionOf(a) ||
      Number(b.modifiedNs - a.modifiedNs) ||
      TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier),
  );
  if (winner === undefined) throw new Error("There is no file to choose from.");
  return { winner, losers: files.filter(({ sameAs }) => sameAs !== winner.sameAs) };
}

/** Size and checksum of a file that was read. */
export interface ReadBytes {
  readonly sizeBytes: number;
  /** SHA-256, lower-case hex. */
  readonly checksum: string;
}

export interface Adoption {
  readonly artifact: Omit<AdoptedArtifact, "object" | "store">;
  readonly findings: readonly StoreFinding[];
}

/**
 * Returns the artifact that a file becomes, with its findings. If the sidecar's checksum does not match, only
 * its metadata is used.
 */
export function adoptionOf(
  key: ArtifactKey,
  { winner, losers }: Choice,
  read: ReadBytes,
  options: { readonly dryRun: boolean; readonly copied: boolean },
): Adoption {
  const { tier, path } = winner;
  const would = options.dryRun ? "would be" : "is";
  const findings: StoreFinding[] = [];
  const report = (kind: StoreFindingKind, message: string, at: FoundFile = winner) =>
    findings.push({ kind, path: at.path, ...keyOf(key), tier: at.tier, message });

  const { facts, problem } = winner.sidecar;
  if (problem !== null)
    report("TORN_SIDECAR", `The sidecar of ${path} ${problem}. The artifact ${would} adopted without it.`);
  const stated = facts?._checksum;
  const isOther = typeof stated === "string" && SHA256.test(stated) && stated.toLowerCase() !== read.checksum;
  if (isOther)
    report(
      "CHECKSUM_DIFFERS",
      `${path} has the checksum ${read.checksum}, but its sidecar states ${stated}. Only the sidecar's metadata ${would} kept.`,
    );
  const inexact = numbersToText(facts ?? {});
  const metadata = metadataOf(facts ?? {});
  if (inexact.length > 0)
    report(
      "TORN_SIDECAR",
      `The sidecar of ${path} has numbers that cannot be kept exactly (${inexact.slice(0, 5).join(", ")}). The metadata ${would} adopted with these numbers as text.`,
    );
  if (typeof metadata === "string")
    report(
      "TORN_SIDECAR",
      `The sidecar of ${path} has metadata that cannot be kept: ${metadata} The artifact ${would} adopted without it.`,
    );
  const kept = typeof metadata === "string" ? {} : metadata;
  if (isHeld(kept))
    report(
      "RETENTION_OVERRIDE",
      `${path} has ${RETENTION_OVERRIDE} in its metadata (${JSON.stringify(kept[RETENTION_OVERRIDE])}): it is never purged.`,
    );
  for (const loser of losers)
    report(
      "QUARANTINED",
      `${loser.path} is a second file under the key of ${path}, which takes precedence. It ${would} moved to quarantine.`,
      loser,
    );
  const how = options.copied ? "; its bytes were copied, because it cannot be linked or has other links" : "";
  report("ADOPTED", `${path} ${would} adopted${how}.`);

  const system = isOther ? {} : (facts ?? {});
  const modified = instantOf(system._modified_at);
  const written = clamped(modifiedMs(winner));
  return {
    findings,
    artifact: {
      tier,
      sizeBytes: read.sizeBytes,
      checksum: read.checksum,
      contentType: contentTypeIn(system._content_type) ?? contentTypeOf(key.artifactId),
      metadata: kept,
      createdAt: instantOf(system._created_at) ?? written,
      modifiedAt: modified ?? written,
      ageSince: instantOf(system._age_since) ?? modified ?? written,
    },
  };
}

export function pathOf(key: ArtifactKey, tier: Tier): string {
  return `${tier.toLowerCase()}/${keyText(key)}`;
}

const SHA256 = /^[0-9a-f]{64}$/i;
const INSTANT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?$/i;

/** The range of the DateTime scalar. */
const EARLIEST_MS = Date.parse("0000-01-01T00:00:00Z");
const LATEST_MS = Date.UTC(9999, 11, 31);

/** ms since the epoch; UTC without a zone. Null if the value is not an instant. */
function instantOf(value: unknown): number | null {
  const [, day, time, zone = "Z"] = (typeof value === "string" && INSTANT.exec(value)) || [];
  if (day === undefined) return null;
  const instant = Date.parse(`${day}T${time}${zone.replace(/(\d{2})(\d{2})$/, "$1:$2")}`);
  return Number.isNaN(instant) ? null : clamped(Math.trunc(instant));
}

function clamped(instant: number): number {
  return Math.min(Math.max(instant, EARLIEST_MS), LATEST_MS);
}

function versionOf({ sidecar }: FoundFile): number {
  const version = sidecar.facts?._version;
  return typeof version === "number" && Number.isSafeInteger(version) ? version : -1;
}

/** Replaces numbers in a sidecar that a double cannot hold exactly by their text. Returns these texts. */
function numbersToText(facts: object): readonly string[] {
  const found: string[] = [];
  // A loop, because recursion could overflow the stack.
  const open: object[] = [facts];
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    for (const [name, value] of Object.entries(holder)) {
      if (typeof value !== "object" || value === null) continue;
      const number = inexactNumberIn(value);
      if (number === null) open.push(value);
      else {
        found.push(number);
        (holder as Record<string, unknown>)[name] = number;
      }
    }
  }
  return found;
}

/**
 * Returns the user's part of a sidecar, or the reason why it cannot be kept. Names that start with `_` are
 * system fields.
 */
function metadataOf(facts: Readonly<Record<string, unknown>>): Metadata | string {
  try {
    return requireMetadata(
      Object.fromEntries(Object.entries(facts).filter(([name]) => !name.startsWith("_"))),
      "metadata",
    );
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

function contentTypeIn(value: unknown): string | null {
  if (typeof value !== "string") return null;
  try {
    return requireContentType(value, "_content_type");
  } catch {
    return null;
  }
}
