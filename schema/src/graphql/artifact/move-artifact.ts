import { requireChecksum } from "../../domain/checksums.ts";
import { requireKey } from "../../domain/identifiers.ts";
import type { Tier } from "../../domain/tiers.ts";
import type { Moved, MoveOptions } from "../../services/artifacts.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { ArtifactType } from "../types/references.ts";
import { TierType } from "./tier.ts";

const FROM_TIER =
  "The tier that the artifact must be in. If it is in another: ARTIFACT_NOT_FOUND, with that tier in `extensions.tier`.";
const IF_CHECKSUM = "Move only if the content has this SHA-256, else PRECONDITION_FAILED.";
const DRY_RUN =
  "Run all checks and report the result, but do not move the artifact. Writes one event with `dryRun: true`.";

const PromoteArtifactInput = builder.inputType("PromoteArtifactInput", {
  description: "The artifact to move, and its new tier.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "First part of the key." }),
    workflowId: t.string({ required: true, description: "Second part of the key." }),
    artifactId: t.string({ required: true, description: "Last part of the key." }),
    fromTier: t.field({ type: TierType, description: FROM_TIER }),
    toTier: t.field({
      type: TierType,
      required: true,
      description: "The tier to move the artifact to, hotter or colder.",
    }),
    ifChecksum: t.string({ description: IF_CHECKSUM }),
    dryRun: t.boolean({ required: true, defaultValue: false, description: DRY_RUN }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RestoreArtifactInput = builder.inputType("RestoreArtifactInput", {
  description: "The artifact to restore, and the tier to restore it to.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "First part of the key." }),
    workflowId: t.string({ required: true, description: "Second part of the key." }),
    artifactId: t.string({ required: true, description: "Last part of the key." }),
    fromTier: t.field({ type: TierType, description: FROM_TIER }),
    toTier: t.field({
      type: TierType,
      required: true,
      defaultValue: "HOT",
      description: "The tier to restore the artifact to. A colder tier: BAD_USER_INPUT.",
    }),
    ifChecksum: t.string({ description: IF_CHECKSUM }),
    dryRun: t.boolean({ required: true, defaultValue: false, description: DRY_RUN }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

interface MovedPayload extends Moved {
  readonly dryRun: boolean;
}

const PromoteArtifactPayload = movedPayload("PromoteArtifactPayload", "The result of the move.");
const RestoreArtifactPayload = movedPayload("RestoreArtifactPayload", "The result of the restore.");

builder.mutationFields((t) => ({
  promoteArtifact: t.field({
    needs: "promote",
    type: PromoteArtifactPayload,
    nullable: true,
    description:
      "Moves an artifact to another tier. A move to a hotter tier resets its age to 0. Already in that tier: SAME_TIER. No such artifact: ARTIFACT_NOT_FOUND. Needs WRITER.",
    args: {
      input: t.arg({
        type: PromoteArtifactInput,
        required: true,
        description: "The artifact to move, and its new tier.",
      }),
    },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ artifacts }) => ({
        ...(await artifacts.promote(context.principal, requireMove(input))),
        dryRun: input.dryRun,
      })),
  }),
  restoreArtifact: t.field({
    needs: "restore",
    type: RestoreArtifactPayload,
    nullable: true,
    description:
      "Moves an artifact back to a hotter tier. Its age is reset to 0, so the next lifecycle run does not move it again. Already in that tier: SAME_TIER. No such artifact: ARTIFACT_NOT_FOUND. Needs WRITER.",
    args: {
      input: t.arg({
        type: RestoreArtifactInput,
        required: true,
        description: "The artifact to restore, and its new tier.",
      }),
    },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ artifacts }) => ({
        ...(await artifacts.restore(context.principal, requireMove(input))),
        dryRun: input.dryRun,
      })),
  }),
}));

function movedPayload(name: string, description: string) {
  return builder.objectRef<MovedPayload>(name).implement({
    description,
    fields: (t) => ({
      artifact: t.expose("artifact", {
        type: ArtifactType,
        description:
          "The artifact after the move. Unchanged on a dry run. On a retry with the same idempotency key: as the first call returned it.",
      }),
      fromTier: t.expose("fromTier", { type: TierType, description: "The tier before the move." }),
      toTier: t.expose("toTier", { type: TierType, description: "The requested tier." }),
      dryRun: t.exposeBoolean("dryRun", {
        description: "True if nothing was moved, because this was a dry run.",
      }),
    }),
  });
}

interface MoveInput {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly artifactId: string;
  readonly fromTier?: Tier | null | undefined;
  readonly toTier: Tier;
  readonly ifChecksum?: string | null | undefined;
  readonly dryRun: boolean;
  readonly idempotencyKey?: string | null | undefined;
}

function requireMove(input: MoveInput): MoveOptions {
  const { tenantId, workflowId, artifactId } = requireKey(input, "input.");
  return {
    tenantId,
    workflowId,
    artifactId,
    fromTier: input.fromTier ?? undefined,
    toTier: input.toTier,
    ifChecksum: input.ifChecksum == null ? undefined : requireChecksum(input.ifChecksum, "input.ifChecksum"),
    dryRun: input.dryRun,
    idempotencyKey: optionalIdempotencyKey(input),
  };
}
