import { requireChecksum } from "../../domain/checksums.ts";
import { requireKey } from "../../domain/identifiers.ts";
import type { Purged } from "../../services/artifacts.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { TierType } from "./tier.ts";

const PurgeArtifactInput = builder.inputType("PurgeArtifactInput", {
  description: "Which artifact to delete.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "First part of the key." }),
    workflowId: t.string({ required: true, description: "Second part of the key." }),
    artifactId: t.string({ required: true, description: "Last part of the key." }),
    fromTier: t.field({
      type: TierType,
      description:
        "The tier it must be in. If it is in another: ARTIFACT_NOT_FOUND, with extensions.tier saying which.",
    }),
    ifChecksum: t.string({
      description: "Only where the content has this SHA-256, else PRECONDITION_FAILED.",
    }),
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description:
        "Check everything and say what would happen, but delete nothing. Writes one event, flagged.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const PurgeArtifactPayload = builder
  .objectRef<Purged & { readonly dryRun: boolean }>("PurgeArtifactPayload")
  .implement({
    description: "What was deleted.",
    fields: (t) => ({
      tenantId: t.exposeString("tenantId", { description: "First part of its key." }),
      workflowId: t.exposeString("workflowId", { description: "Second part of its key." }),
      artifactId: t.exposeString("artifactId", { description: "Last part of its key." }),
      fromTier: t.expose("fromTier", { type: TierType, description: "The tier it was in." }),
      sizeBytes: t.expose("sizeBytes", { type: "SafeInt", description: "The size of its content in bytes." }),
      dryRun: t.exposeBoolean("dryRun", { description: "True: nothing has been deleted." }),
    }),
  });

builder.mutationField("purgeArtifact", (t) =>
  t.field({
    needs: "purge",
    type: PurgeArtifactPayload,
    nullable: true,
    description:
      "Deletes an artifact for good, whatever its age and tier. Its events stay. While the audit log cannot be written: UNAVAILABLE. With the key retention_override in its metadata, or while a reindex waits for confirmReindex: HELD. Needs OPERATOR.",
    args: { input: t.arg({ type: PurgeArtifactInput, required: true, description: "What to delete." }) },
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
