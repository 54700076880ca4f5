import type { Job } from "../../services/jobs.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey, requireJobId } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { JobType } from "./job.ts";

const CancelJobInput = builder.inputType("CancelJobInput", {
  description: "The job to cancel.",
  fields: (t) => ({
    id: t.id({
      required: true,
      description: "The job's global id. A malformed id, or one of another type: NOT_FOUND.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const CancelJobPayload = builder.objectRef<{ readonly job: Job }>("CancelJobPayload").implement({
  description: "The cancelled job.",
  fields: (t) => ({
    job: t.expose("job", {
      type: JobType,
      description: "The job after the call. A job that had already finished is unchanged.",
    }),
  }),
});

builder.mutationField("cancelJob", (t) =>
  t.field({
    needs: "cancelJob",
    type: CancelJobPayload,
    nullable: true,
    description: "Cancels a job. It stops before its next artifact; completed work is kept. Needs OPERATOR.",
    args: { input: t.arg({ type: CancelJobInput, required: true, description: "The job to cancel." }) },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ jobs }) => ({
        job: await jobs.cancel(
          context.principal,
          requireJobId(input.id, "input.id"),
          optionalIdempotencyKey(input),
        ),
      })),
  }),
);
