import { createHash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import type { LifecycleStep } from "@tierkeep/schema/domain/policy";

/** Items per block. A block is read whole, and a page of items reads at least one. */
export const BLOCK_ITEMS = 2000;

/** What a plan does with the artifacts of a block. */
export type PlanStep = LifecycleStep | "RESTORE";

/** An artifact as it was when the plan was made. */
export interface PlannedFacts {
  readonly version: number;
  /** ms since the epoch. */
  readonly ageSince: number;
  readonly sizeBytes: number;
  /** Its metadata forbade purging it. */
  readonly held: boolean;
}

/** An artifact of a plan. Null: a restore takes it as it is. */
export interface PlannedItem extends ArtifactKey {
  readonly planned: PlannedFacts | null;
}

/** A part of a plan: one step for some artifacts, in the order of their keys. It never changes. */
export interface PlanBlock {
  readonly step: PlanStep;
  /** Number of items. */
  readonly items: number;
  readonly first: ArtifactKey;
  readonly last: ArtifactKey;
  /** SHA-256 of `bytes`, hex. */
  readonly hash: string;
  /** One JSON line per item, zstd. */
  readonly bytes: Uint8Array;
}

type Line = readonly [string, string, string, number?, number?, number?, (0 | 1)?];

/** @param items at least one, in the order of their keys */
export function planBlockOf(step: PlanStep, items: readonly PlannedItem[]): PlanBlock {
  const [first, last] = [items[0], items.at(-1)];
  if (first === undefined || last === undefined) throw new Error("A block of a plan has no items.");
  const bytes = zstdCompressSync(items.map((item) => JSON.stringify(lineOf(item))).join("\n"));
  return { step, items: items.length, first: keyOf(first), last: keyOf(last), hash: sha256(bytes), bytes };
}

/** @throws Error if the bytes are not those that were stored */
export function itemsOf({ hash, bytes }: PlanBlock): readonly PlannedItem[] {
  if (sha256(bytes) !== hash) throw new Error("A block of a plan differs from what was stored.");
  return zstdDecompressSync(bytes)
    .toString()
    .split("\n")
    .map((line) => itemOf(JSON.parse(line)));
}

function lineOf({ tenantId, workflowId, artifactId, planned }: PlannedItem): Line {
  if (planned === null) return [tenantId, workflowId, artifactId];
  const { version, ageSince, sizeBytes, held } = planned;
  return [tenantId, workflowId, artifactId, version, ageSince, sizeBytes, held ? 1 : 0];
}

function itemOf([tenantId, workflowId, artifactId, version, ageSince, sizeBytes, held]: Line): PlannedItem {
  const planned =
    version === undefined || ageSince === undefined || sizeBytes === undefined
      ? null
      : { version, ageSince, sizeBytes, held: held === 1 };
  return { tenantId, workflowId, artifactId, planned };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
