import { LIFECYCLE_STEPS } from "../../domain/policy.ts";
import type { LifecycleJob } from "../../services/jobs.ts";
import { changing } from "../execution/changing.ts";
import {
  IDEMPOTENCY_KEY,
  MAX_WAIT_SECONDS,
  optionalIdempotencyKey,
  optionalIdentifier,
  optionalSubset,
  requireWaitSeconds,
} from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { LifecycleJobType } from "./lifecycle-job.ts";
import { LifecycleStepType } from "./lifecycle-step.ts";

const RunLifecycleInput = builder.inputType("RunLifecycleInput", {
  description: "Options of a lifecycle run.",
  fields: (t) => ({
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description:
        "Report for each artifact what a live run at the same instant would do, but change nothing.",
    }),
    tenantId: t.string({ description: "Run for this tenant only. Default: all tenants." }),
    steps: t.field({
      type: [LifecycleStepType],
      description: "Apply only these steps. An empty list: BAD_USER_INPUT. Default: all three.",
    }),
    asOf: t.field({
      type: "DateTime",
      description:
        "The instant at which to compute ages. Default: now. A dry run may always set it. A live run may set it only if the server runs with TIERKEEP_ALLOW_AS_OF=true, else BAD_USER_INPUT.",
    }),
    waitSeconds: t.int({
      required: true,
      defaultValue: 30,
      description: `How long to wait for the job to finish before returning it as RUNNING: 0 to ${MAX_WAIT_SECONDS} seconds, else BAD_USER_INPUT. Closing the connection does not cancel the job.`,
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RunLifecyclePayload = builder
  .objectRef<{ readonly job: LifecycleJob; readonly started: boolean }>("RunLifecyclePayload")
  .implement({
    description: "The job of the run.",
    fields: (t) => ({
      job: t.expose("job", {
        type: LifecycleJobType,
        description: "The job when it finished, or when `waitSeconds` had passed.",
      }),
      started: t.exposeBoolean("started", {
        description:
          "True if this call started the job. False if a run with the same input was already in progress; `job` is that run.",
      }),
    }),
  });

builder.mutationField("runLifecycle", (t) =>
  t.field({
    needs: "runLifecycle",
    type: RunLifecyclePayload,
    nullable: true,
    description:
      "Starts a lifecycle run. Only one live run is in progress at a time. A second call with the same input returns the running job. A call with another input: CONFLICT, with `extensions.jobId` if the caller may see that job. Needs OPERATOR; for all tenants, ADMIN.",
    args: { input: t.arg({ type: RunLifecycleInput, required: true, description: "Options of the run." }) },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ jobs }) =>
        jobs.runLifecycle(context.principal, {
          dryRun: input.dryRun,
          tenantId: optionalIdentifier("tenantId", input.tenantId, "input.tenantId"),
          steps: optionalSubset(LIFECYCLE_STEPS, input.steps, "input.steps"),
          asOf: input.asOf ?? undefined,
          waitSeconds: requireWaitSeconds(input.waitSeconds, "input.waitSeconds"),
          idempotencyKey: optionalIdempotencyKey(input),
        }),
      ),
  }),
);
