import { createHash } from "node:crypto";
import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import {
  dueStep,
  type LifecycleStep,
  type RetentionPolicy,
  STEP_RULES,
} from "@tierkeep/schema/domain/policy";
import type { ErrorCode } from "@tierkeep/schema/domain/refusals";
import { isHotter, type Tier } from "@tierkeep/schema/domain/tiers";

/** A command to the engine. A seed and a size define a content, so that contents can be distinguished. */
export type Command =
  | {
      readonly do: "write";
      readonly key: ArtifactKey;
      readonly tier: Tier;
      readonly seed: number;
      readonly sizeBytes: number;
      readonly ifAbsent?: boolean;
      readonly idempotencyKey?: string;
    }
  /** A write with a wrong checksum, or an upload whose client disconnects. It must be refused and leave nothing. */
  | {
      readonly do: "write with wrong checksum" | "aborted upload";
      readonly key: ArtifactKey;
      readonly sizeBytes: number;
    }
  | { readonly do: "promote" | "restore"; readonly key: ArtifactKey; readonly toTier: Tier }
  | { readonly do: "purge"; readonly key: ArtifactKey }
  | { readonly do: "age"; readonly step: LifecycleStep }
  /** Adopts the files in the tree: those from before the catalog was lost, and foreign ones. */
  | { readonly do: "adopt"; readonly found: Expected };

export interface ExpectedArtifact {
  readonly checksum: string;
  readonly sizeBytes: number;
  readonly tier: Tier;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly promotedAt: number | null;
  readonly promotedFrom: Tier | null;
  readonly ageSince: number;
}

/** Returns the artifact that adoption makes of a foreign file that was last modified `at`. */
export function adoptedArtifact(content: string, tier: Tier, at: number): ExpectedArtifact {
  return {
    checksum: createHash("sha256").update(content).digest("hex"),
    sizeBytes: Buffer.byteLength(content),
    tier,
    createdAt: at,
    modifiedAt: at,
    promotedAt: null,
    promotedFrom: null,
    ageSince: at,
  };
}

/** The expected artifacts of a store, by key as a path. */
export type Expected = ReadonlyMap<string, ExpectedArtifact>;

export type ExpectedOutcome = { readonly next: Expected; readonly refused: ErrorCode | null };

export const POLICY: RetentionPolicy = { hotDays: 7, warmDays: 30, coldDays: 90 };

export function contentOf(seed: number, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, `content ${seed} `);
}

/** Returns the expected artifacts after a command, and the expected refusal: the model of the engine. */
export function expectedOutcome(state: Expected, command: Command, now: number): ExpectedOutcome {
  const refuse = (refused: ErrorCode): ExpectedOutcome => ({ next: state, refused });
  const put = (path: string, artifact: ExpectedArtifact): ExpectedOutcome => ({
    next: new Map(state).set(path, artifact),
    refused: null,
  });
  switch (command.do) {
    case "write": {
      const path = keyText(command.key);
      const current = state.get(path);
      if (command.ifAbsent && current) return refuse("PRECONDITION_FAILED");
      const content = contentOf(command.seed, command.sizeBytes);
      return put(path, {
        checksum: createHash("sha256").update(content).digest("hex"),
        sizeBytes: command.sizeBytes,
        tier: command.tier,
        createdAt: current?.createdAt ?? now,
        modifiedAt: now,
        promotedAt: null,
        promotedFrom: null,
        ageSince: now,
      });
    }
    case "write with wrong checksum":
      return refuse("CHECKSUM_MISMATCH");
    case "aborted upload":
      return refuse("BAD_USER_INPUT");
    case "promote":
    case "restore": {
      const path = keyText(command.key);
      const current = state.get(path);
      if (!current) return refuse("ARTIFACT_NOT_FOUND");
      if (current.tier === command.toTier) return refuse("SAME_TIER");
      if (command.do === "restore" && !isHotter(command.toTier, current.tier))
        return refuse("BAD_USER_INPUT");
      return put(path, moved(current, command.toTier, now));
    }
    case "purge": {
      const path = keyText(command.key);
      if (!state.has(path)) return refuse("ARTIFACT_NOT_FOUND");
      const next = new Map(state);
      next.delete(path);
      return { next, refused: null };
    }
    case "adopt":
      return { next: new Map([...command.found, ...state]), refused: null };
    case "age": {
      const next = new Map(state);
      for (const [path, artifact] of state) {
        if (dueStep({ ...artifact, metadata: {} }, POLICY, now) !== command.step) continue;
        const { to } = STEP_RULES[command.step];
        if (to === null) next.delete(path);
        else next.set(path, moved(artifact, to, now));
      }
      return { next, refused: null };
    }
  }
}

function moved(artifact: ExpectedArtifact, toTier: Tier, now: number): ExpectedArtifact {
  return {
    ...artifact,
    tier: toTier,
    promotedAt: now,
    promotedFrom: artifact.tier,
    ageSince: isHotter(toTier, artifact.tier) ? now : artifact.ageSince,
  };
}
