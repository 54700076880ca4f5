import type { ReindexJob } from "../../services/jobs.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey, requireJobId } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { ReindexJobType } from "./reindex-job.ts";

const ConfirmReindexInput = builder.inputType("ConfirmReindexInput", {
  description: "The reindex to confirm.",
  fields: (t) => ({
    id: t.id({
      required: true,
      description: "The global id of a reindex job. A malformed id, or one of another type: NOT_FOUND.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const ConfirmReindexPayload = builder
  .objectRef<{ readonly job: ReindexJob }>("ConfirmReindexPayload")
  .implement({
    description: "The confirmed reindex.",
    fields: (t) => ({
      job: t.expose("job", {
        type: ReindexJobType,
        description: "The job after the call. A job that was already confirmed is unchanged.",
      }),
    }),
  });

builder.mutationField("confirmReindex", (t) =>
  t.field({
    needs: "confirmReindex",
    type: ConfirmReindexPayload,
    nullable: true,
    description:
      "Confirms that an administrator has checked the findings of a reindex. The reindex then no longer blocks purges. If the reindex is still running: CONFLICT. If it was a dry run: BAD_USER_INPUT. Needs ADMIN.",
    args: {
      input: t.arg({ type: ConfirmReindexInput, required: true, description: "The reindex to confirm." }),
    },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ jobs }) => ({
        job: await jobs.confirmReindex(
          context.principal,
          requireJobId(input.id, "input.id"),
          optionalIdempotencyKey(input),
        ),
      })),
  }),
);
