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
  description: "Options of a verification.",
  fields: (t) => ({
    tenantId: t.string({
      description:
        "Verify only this tenant's artifacts. Default: all artifacts, unknown objects and files, and usage counts.",
    }),
    repair: t.boolean({
      required: true,
      defaultValue: false,
      description:
        "Repair what can be repaired. A repair recovers damaged and missing content if copies exist, adopts files that have a matching sidecar (`ARTIFACT.metadata.json`, with the artifact's metadata), and moves other unknown objects and files to quarantine. It publishes paths of the tree that differ, and corrects usage counts. Nothing is deleted. Needs ADMIN. Together with `tenantId`: BAD_USER_INPUT.",
    }),
    waitSeconds: t.int({
      required: true,
      defaultValue: 30,
      description: `How long to wait for the job to finish before returning it as RUNNING: 0 to ${MAX_WAIT_SECONDS} seconds, else BAD_USER_INPUT. Closing the connection does not cancel the job.`,
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const VerifyArtifactsPayload = builder
  .objectRef<{ readonly job: VerifyJob }>("VerifyArtifactsPayload")
  .implement({
    description: "The job of the verification.",
    fields: (t) => ({
      job: t.expose("job", {
        type: VerifyJobType,
        description: "The job when it finished, or when `waitSeconds` had passed.",
      }),
    }),
  });

builder.mutationField("verifyArtifacts", (t) =>
  t.field({
    needs: "verify",
    type: VerifyArtifactsPayload,
    nullable: true,
    description:
      "Reads the content of every artifact and compares its checksum. For all tenants, it also looks for unknown objects and files, compares usage counts with a full count, and looks for background work that has been pending for over a day. It writes one event for each problem and marks damaged artifacts. It makes other changes only if `repair` is true. One verification per tenant, and one for all tenants, runs at a time; another: CONFLICT. Needs OPERATOR; for all tenants, ADMIN.",
    args: {
      input: t.arg({
        type: VerifyArtifactsInput,
        required: true,
        description: "Options of the verification.",
      }),
    },
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
