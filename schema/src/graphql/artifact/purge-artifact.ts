import { requireChecksum } from "../../domain/checksums.ts";
import { requireKey } from "../../domain/identifiers.ts";
import type { Purged } from "../../services/artifacts.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { TierType } from "./tier.ts";

const PurgeArtifactInput = builder.inputType("PurgeArtifactInput", {
  description: "The artifact to delete.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "First part of the key." }),
    workflowId: t.string({ required: true, description: "Second part of the key." }),
    artifactId: t.string({ required: true, description: "Last part of the key." }),
    fromTier: t.field({
      type: TierType,
      description:
        "The tier that the artifact must be in. If it is in another: ARTIFACT_NOT_FOUND, with that tier in `extensions.tier`.",
    }),
    ifChecksum: t.string({
      description: "Delete only if the content has this SHA-256, else PRECONDITION_FAILED.",
    }),
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description:
        "Run all checks and report the result, but delete nothing. Writes one event with `dryRun: true`.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const PurgeArtifactPayload = builder
  .objectRef<Purged & { readonly dryRun: boolean }>("PurgeArtifactPayload")
  .implement({
    description: "The deleted artifact.",
    fields: (t) => ({
      tenantId: t.exposeString("tenantId", { description: "First part of the artifact's key." }),
      workflowId: t.exposeString("workflowId", { description: "Second part of the artifact's key." }),
      artifactId: t.exposeString("artifactId", { description: "Last part of the artifact's key." }),
      fromTier: t.expose("fromTier", { type: TierType, description: "The tier that held the artifact." }),
      sizeBytes: t.expose("sizeBytes", {
        type: "SafeInt",
        description: "Size of the artifact's content in bytes.",
      }),
      dryRun: t.exposeBoolean("dryRun", {
        description: "True if nothing was deleted, because this was a dry run.",
      }),
    }),
  });

builder.mutationField("purgeArtifact", (t) =>
  t.field({
    needs: "purge",
    type: PurgeArtifactPayload,
    nullable: true,
    description:
      "Deletes an artifact permanently, whatever its age and tier. Its events remain. If the audit log cannot be written: UNAVAILABLE. If its metadata has the key `retention_override`, or a reindex awaits confirmReindex: HELD. Needs OPERATOR.",
    args: {
      input: t.arg({ type: PurgeArtifactInput, required: true, description: "The artifact to delete." }),
    },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ artifacts }) => {
        const { tenantId, workflowId, artifactId } = requireKey(input, "input.");
        const purged = await artifacts.purge(context.principal, {
          tenantId,
          workflowId,
          artifactId,
          fromTier: input.fromTier ?? undefined,
          ifChecksum:
            input.ifChecksum == null ? undefined : requireChecksum(input.ifChecksum, "input.ifChecksum"),
          dryRun: input.dryRun,
          idempotencyKey: optionalIdempotencyKey(input),
        });
        return { ...purged, dryRun: input.dryRun };
      }),
  }),
);
