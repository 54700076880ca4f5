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
  description: "Options of a reindex.",
  fields: (t) => ({
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description:
        "Report what a live reindex would adopt, move and leave, but change nothing. Only a live reindex looks for unknown objects.",
    }),
    waitSeconds: t.int({
      required: true,
      defaultValue: 30,
      description: `How long to wait for the job to finish before returning it as RUNNING: 0 to ${MAX_WAIT_SECONDS} seconds, else BAD_USER_INPUT. Closing the connection does not cancel the job.`,
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const ReindexPayload = builder.objectRef<{ readonly job: ReindexJob }>("ReindexPayload").implement({
  description: "The job of the reindex.",
  fields: (t) => ({
    job: t.expose("job", {
      type: ReindexJobType,
      description: "The job when it finished, or when `waitSeconds` had passed.",
    }),
  }),
});

builder.mutationField("reindex", (t) =>
  t.field({
    needs: "reindex",
    type: ReindexPayload,
    nullable: true,
    description:
      "Reads the published tree, which is the folders of the tiers below STORAGE_BASE_PATH, and adds every artifact that the catalog does not have. Use it to rebuild a lost catalog, or to adopt the tree of another system. Nothing is overwritten or deleted. Once a live reindex has adopted an artifact, every purge is rejected with HELD until confirmReindex. Only one live reindex runs at a time; a second one: CONFLICT, with `extensions.jobId`. On a server without a published tree: UNAVAILABLE. Needs ADMIN.",
    args: { input: t.arg({ type: ReindexInput, required: true, description: "Options of the reindex." }) },
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
