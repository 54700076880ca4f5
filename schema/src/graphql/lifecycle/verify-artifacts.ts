import type { VerifyJob } from "../../services/jobs.ts";
import { changing } from "../execution/changing.ts";
import {
  IDEMPOTENCY_KEY,
  MAX_WAIT_SECONDS,
  optionalIdempotencyKey,
  optionalIdentifier,
  requireWaitSeconds,
} from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { VerifyJobType } from "./verify-job.ts";

const VerifyArtifactsInput = builder.inputType("VerifyArtifactsInput", {
  description: "What to verify.",
  fields: (t) => ({
    tenantId: t.string({
      description:
        "Only this tenant's artifacts. Left out: all, whatever belongs to none, and what is counted.",
    }),
    repair: t.boolean({
      required: true,
      defaultValue: false,
      description:
        "Mend what can be mended: give what is damaged or missing its bytes back where they are found, take up files whose sidecar knows them, move other strays to quarantine, publish anew what differs in the tree, count anew what is counted wrongly. Nothing is deleted. Needs ADMIN; with tenantId, BAD_USER_INPUT.",
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
      "Reads every byte of every artifact and compares its checksum; then, for all tenants, looks for objects and files that belong to none, compares what is counted with a full count, and looks for work that has been left undone for a day. What it finds is told by an event, once, and what is damaged is marked; otherwise it changes nothing unless it is to repair. One verification of a tenant runs at a time, and one for all tenants; another: CONFLICT. Needs OPERATOR; for all tenants, ADMIN.",
    args: { input: t.arg({ type: VerifyArtifactsInput, required: true, description: "What to verify." }) },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ jobs }) => ({
        job: await jobs.verify(context.principal, {
          tenantId: optionalIdentifier("tenantId", input.tenantId, "input.tenantId"),
          repair: input.repair,
          waitSeconds: requireWaitSeconds(input.waitSeconds, "input.waitSeconds"),
          idempotencyKey: optionalIdempotencyKey(input),
        }),
      })),
  }),
);
