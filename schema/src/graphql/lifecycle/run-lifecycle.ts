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
  description: "How to run the lifecycle.",
  fields: (t) => ({
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description:
        "Find out, artifact by artifact, what a live run at the same instant would do, and do none of it.",
    }),
    tenantId: t.string({ description: "For this tenant only. Left out: for all." }),
    steps: t.field({
      type: [LifecycleStepType],
      description: "Only these steps. An empty list: BAD_USER_INPUT. Default: all three.",
    }),
    asOf: t.field({
      type: "DateTime",
      description:
        "The instant at which to judge ages. Default: now. Always allowed on a dry run; live only where the server is configured with TIERKEEP_ALLOW_AS_OF=true, else BAD_USER_INPUT.",
    }),
    waitSeconds: t.int({
      required: true,
      defaultValue: 30,
      description: `How long to wait for its end before answering with the RUNNING job: 0 to ${MAX_WAIT_SECONDS} seconds, else BAD_USER_INPUT. Hanging up cancels nothing.`,
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RunLifecyclePayload = builder
  .objectRef<{ readonly job: LifecycleJob; readonly started: boolean }>("RunLifecyclePayload")
  .implement({
    description: "The run.",
    fields: (t) => ({
      job: t.expose("job", {
        type: LifecycleJobType,
        description: "As it was at its end, or when waitSeconds were over.",
      }),
      started: t.exposeBoolean("started", {
        description: "False where the same run was under way already, and this is that one.",
      }),
    }),
  });

builder.mutationField("runLifecycle", (t) =>
  t.field({
    needs: "runLifecycle",
    type: RunLifecyclePayload,
    nullable: true,
    description:
      "Runs the lifecycle. There is one live run at a time: asking for the same again while it runs answers with it, asking for another is a CONFLICT (with extensions.jobId, where you may see that job). Needs OPERATOR; for all tenants, ADMIN.",
    args: { input: t.arg({ type: RunLifecycleInput, required: true, description: "How to run it." }) },
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
