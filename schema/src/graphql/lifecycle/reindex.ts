import type { ReindexJob } from "../../services/jobs.ts";
import { changing } from "../execution/changing.ts";
import {
  IDEMPOTENCY_KEY,
  MAX_WAIT_SECONDS,
  optionalIdempotencyKey,
  requireWaitSeconds,
} from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { ReindexJobType } from "./reindex-job.ts";

const ReindexInput = builder.inputType("ReindexInput", {
  description: "How to reindex.",
  fields: (t) => ({
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description:
        "Find out what it would adopt, move and leave, and change nothing. Objects that belong to nothing are looked for by a live one only.",
    }),
    waitSeconds: t.int({
      required: true,
      defaultValue: 30,
      description: `How long to wait for its end before answering with the RUNNING job: 0 to ${MAX_WAIT_SECONDS} seconds, else BAD_USER_INPUT. Hanging up cancels nothing.`,
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const ReindexPayload = builder.objectRef<{ readonly job: ReindexJob }>("ReindexPayload").implement({
  description: "The reindex.",
  fields: (t) => ({
    job: t.expose("job", {
      type: ReindexJobType,
      description: "As it was at its end, or when waitSeconds were over.",
    }),
  }),
});

builder.mutationField("reindex", (t) =>
  t.field({
    needs: "reindex",
    type: ReindexPayload,
    nullable: true,
    description:
      "Goes through the published tree, whoever wrote it, and takes up every artifact that the catalog does not have: a lost catalog is rebuilt so, and the tree of another system adopted. Nothing is overwritten or deleted. Once it has adopted something, every purge is refused with HELD until confirmReindex. One live reindex runs at a time, else CONFLICT (with extensions.jobId). On a server without a published tree: UNAVAILABLE. Needs ADMIN.",
    args: { input: t.arg({ type: ReindexInput, required: true, description: "How to do it." }) },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ jobs }) => ({
        job: await jobs.reindex(context.principal, {
          dryRun: input.dryRun,
          waitSeconds: requireWaitSeconds(input.waitSeconds, "input.waitSeconds"),
          idempotencyKey: optionalIdempotencyKey(input),
        }),
      })),
  }),
);
