import type { Job } from "../../services/jobs.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey, requireJobId } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { JobType } from "./job.ts";

const CancelJobInput = builder.inputType("CancelJobInput", {
  description: "Which job to stop.",
  fields: (t) => ({
    id: t.id({
      required: true,
      description: "The job's global id. One of anything else, or malformed: NOT_FOUND.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const CancelJobPayload = builder.objectRef<{ readonly job: Job }>("CancelJobPayload").implement({
  description: "The job that was stopped.",
  fields: (t) => ({
    job: t.expose("job", {
      type: JobType,
      description: "As it is now; one that had ended already is as it was.",
    }),
  }),
});

builder.mutationField("cancelJob", (t) =>
  t.field({
    needs: "cancelJob",
    type: CancelJobPayload,
    nullable: true,
    description: "Stops a job between two artifacts. What it has done stays done. Needs OPERATOR.",
    args: { input: t.arg({ type: CancelJobInput, required: true, description: "Which job to stop." }) },
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
