import type { ReindexJob } from "../../services/jobs.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey, requireJobId } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { ReindexJobType } from "./reindex-job.ts";

const ConfirmReindexInput = builder.inputType("ConfirmReindexInput", {
  description: "Which reindex to confirm.",
  fields: (t) => ({
    id: t.id({
      required: true,
      description: "The reindex's global id. One of anything else, or malformed: NOT_FOUND.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const ConfirmReindexPayload = builder
  .objectRef<{ readonly job: ReindexJob }>("ConfirmReindexPayload")
  .implement({
    description: "The reindex.",
    fields: (t) => ({
      job: t.expose("job", {
        type: ReindexJobType,
        description: "As it is now; one that was confirmed already is as it was.",
      }),
    }),
  });

builder.mutationField("confirmReindex", (t) =>
  t.field({
    needs: "confirmReindex",
    type: ConfirmReindexPayload,
    nullable: true,
    description:
      "Says that somebody has looked at what a reindex found, so that it holds up no purge any more. While it runs: CONFLICT. Of a dry run: BAD_USER_INPUT. Needs ADMIN.",
    args: { input: t.arg({ type: ConfirmReindexInput, required: true, description: "Which one." }) },
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
