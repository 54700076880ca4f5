import { Refused } from "../../domain/refusals.ts";
import type { RestoreArtifactsOptions, RestoreJob } from "../../services/jobs.ts";
import { ArtifactFilterInput, requireArtifactFilter } from "../artifact/artifact-filter.ts";
import { ArtifactKeyInput } from "../artifact/artifact-key.ts";
import { TierType } from "../artifact/tier.ts";
import { changing } from "../execution/changing.ts";
import {
  IDEMPOTENCY_KEY,
  MAX_KEYS,
  MAX_WAIT_SECONDS,
  optionalIdempotencyKey,
  requireKeys,
  requireWaitSeconds,
} from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { RestoreJobType } from "./restore-job.ts";

const RestoreArtifactsInput = builder.inputType("RestoreArtifactsInput", {
  description: "Which artifacts to bring back, by exactly one of keys and where, and how far.",
  fields: (t) => ({
    keys: t.field({
      type: [ArtifactKeyInput],
      description: `These artifacts: 1 to ${MAX_KEYS}, else BAD_USER_INPUT.`,
    }),
    where: t.field({
      type: ArtifactFilterInput,
      description: "Whatever this filter finds. It must name its tenantId, else BAD_USER_INPUT.",
    }),
    toTier: t.field({
      type: TierType,
      required: true,
      defaultValue: "HOT",
      description: "The tier to bring them to. Those that are in it already are skipped.",
    }),
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description: "Find out what would happen, and move nothing.",
    }),
    waitSeconds: t.int({
      required: true,
      defaultValue: 30,
      description: `How long to wait for its end before answering with the RUNNING job: 0 to ${MAX_WAIT_SECONDS} seconds, else BAD_USER_INPUT. Hanging up cancels nothing.`,
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RestoreArtifactsPayload = builder
  .objectRef<{ readonly job: RestoreJob }>("RestoreArtifactsPayload")
  .implement({
    description: "The job that brings them back.",
    fields: (t) => ({
      job: t.expose("job", {
        type: RestoreJobType,
        description: "As it was at its end, or when waitSeconds were over.",
      }),
    }),
  });

builder.mutationField("restoreArtifacts", (t) =>
  t.field({
    needs: "restore",
    type: RestoreArtifactsPayload,
    nullable: true,
    description: "Brings many artifacts back to a hotter tier, as a job. Needs WRITER.",
    args: {
      input: t.arg({
        type: RestoreArtifactsInput,
        required: true,
        description: "What to bring back, and how far.",
      }),
    },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ jobs }) => ({
        job: await jobs.restoreArtifacts(context.principal, requireRestore(input)),
      })),
  }),
);

function requireRestore(input: typeof RestoreArtifactsInput.$inferInput): RestoreArtifactsOptions {
  const { keys, where, toTier, dryRun } = input;
  const waitSeconds = requireWaitSeconds(input.waitSeconds, "input.waitSeconds");
  if ((keys == null) === (where == null)) {
    throw new Refused("BAD_USER_INPUT", "Give exactly one of input.keys and input.where.", {
      argument: keys == null ? "input.keys" : "input.where",
    });
  }
  const asked = { toTier, dryRun, waitSeconds, idempotencyKey: optionalIdempotencyKey(input) };
  if (keys != null) return { keys: requireKeys(keys, "input.keys"), ...asked };
  const filter = requireArtifactFilter(where, {}, "input.where");
  if (filter.tenantId === undefined) {
    const argument = "input.where.tenantId";
    throw new Refused(
      "BAD_USER_INPUT",
      `${argument} is required: what to bring back is said one tenant at a time.`,
      { argument },
    );
  }
  return { where: filter, ...asked };
}
