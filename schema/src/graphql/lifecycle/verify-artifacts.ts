import type { VerifyJob } from "../../services/jobs.ts";
import {
  IDEMPOTENCY_KEY,
  MAX_WAIT_SECONDS,
  optionalIdempotencyKey,
  optionalIdentifier,
  requireWaitSeconds,
} from "../arguments.ts";
import { builder } from "../builder.ts";
import { changing } from "../changing.ts";
import { VerifyJobType } from "./verify-job.ts";

const VerifyArtifactsInput = builder.inputType("VerifyArtifactsInput", {
  description: "What to verify.",
  fields: (t) => ({
    tenantId: t.string({
      description: "Only this tenant's artifacts. Left out: all, and whatever belongs to none.",
    }),
    waitSeconds: t.int({
      required: true,
      defaultValue: 30,
      description: `How long to wait for its end before answering with the RUNNING job: 0 to ${MAX_WAIT_SECONDS} seconds, else BAD_USER_INPUT. Hanging up cancels nothing.`,
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const VerifyArtifactsPayload = builder
  .objectRef<{ readonly job: VerifyJob }>("VerifyArtifactsPayload")
  .implement({
    description: "The verification.",
    fields: (t) => ({
      job: t.expose("job", {
        type: VerifyJobType,
        description: "As it was at its end, or when waitSeconds were over.",
      }),
    }),
  });

builder.mutationField("verifyArtifacts", (t) =>
  t.field({
    needs: "verify",
    type: VerifyArtifactsPayload,
    nullable: true,
    description:
      "Reads every byte of every artifact and compares its checksum, then looks for objects and files that belong to none. It changes nothing; damage is told by an event, as when it is read. Needs OPERATOR; for all tenants, ADMIN.",
    args: { input: t.arg({ type: VerifyArtifactsInput, required: true, description: "What to verify." }) },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ jobs }) => ({
        job: await jobs.verify(context.principal, {
          tenantId: optionalIdentifier("tenantId", input.tenantId, "input.tenantId"),
          waitSeconds: requireWaitSeconds(input.waitSeconds, "input.waitSeconds"),
          idempotencyKey: optionalIdempotencyKey(input),
        }),
      })),
  }),
);
