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
  "The tier it must be in. If it is in another: ARTIFACT_NOT_FOUND, with extensions.tier saying which.";
const IF_CHECKSUM = "Only where the content has this SHA-256, else PRECONDITION_FAILED.";
const DRY_RUN =
  "Check everything and say what would happen, but leave the artifact as it is. Writes one event, flagged.";

const PromoteArtifactInput = builder.inputType("PromoteArtifactInput", {
  description: "Which artifact to move, and where.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "First part of the key." }),
    workflowId: t.string({ required: true, description: "Second part of the key." }),
    artifactId: t.string({ required: true, description: "Last part of the key." }),
    fromTier: t.field({ type: TierType, description: FROM_TIER }),
    toTier: t.field({
      type: TierType,
      required: true,
      description: "The tier to move it to, hotter or colder.",
    }),
    ifChecksum: t.string({ description: IF_CHECKSUM }),
    dryRun: t.boolean({ required: true, defaultValue: false, description: DRY_RUN }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RestoreArtifactInput = builder.inputType("RestoreArtifactInput", {
  description: "Which artifact to bring back, and how far.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "First part of the key." }),
    workflowId: t.string({ required: true, description: "Second part of the key." }),
    artifactId: t.string({ required: true, description: "Last part of the key." }),
    fromTier: t.field({ type: TierType, description: FROM_TIER }),
    toTier: t.field({
      type: TierType,
      required: true,
      defaultValue: "HOT",
      description: "The tier to bring it to. A colder one: BAD_USER_INPUT.",
    }),
    ifChecksum: t.string({ description: IF_CHECKSUM }),
    dryRun: t.boolean({ required: true, defaultValue: false, description: DRY_RUN }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

interface MovedPayload extends Moved {
  readonly dryRun: boolean;
}

const PromoteArtifactPayload = movedPayload("PromoteArtifactPayload", "What was moved.");
const RestoreArtifactPayload = movedPayload("RestoreArtifactPayload", "What was brought back.");

builder.mutationFields((t) => ({
  promoteArtifact: t.field({
    needs: "promote",
    type: PromoteArtifactPayload,
    nullable: true,
    description:
      "Moves an artifact to another tier by hand. Its age starts anew where that tier is hotter. Where it already is: SAME_TIER. Needs WRITER.",
    args: {
      input: t.arg({ type: PromoteArtifactInput, required: true, description: "What to move, and where." }),
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
      "Brings an artifact back to a hotter tier. Its age starts anew, so the next lifecycle run leaves it there. Where it already is: SAME_TIER. Needs WRITER.",
    args: {
      input: t.arg({
        type: RestoreArtifactInput,
        required: true,
        description: "What to bring back, and how far.",
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
        description: "The artifact as it is now; dry: unchanged; on a repeat, as it was then.",
      }),
      fromTier: t.expose("fromTier", { type: TierType, description: "The tier it was in." }),
      toTier: t.expose("toTier", { type: TierType, description: "The tier asked for." }),
      dryRun: t.exposeBoolean("dryRun", { description: "True: nothing has been moved." }),
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
