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
  description:
    "The artifacts to restore, given by exactly one of `keys` and `where`, and the tier to restore them to.",
  fields: (t) => ({
    keys: t.field({
      type: [ArtifactKeyInput],
      description: `The artifacts with these keys: 1 to ${MAX_KEYS}, else BAD_USER_INPUT.`,
    }),
    where: t.field({
      type: ArtifactFilterInput,
      description: "The artifacts that match this filter. Its `tenantId` is required, else BAD_USER_INPUT.",
    }),
    toTier: t.field({
      type: TierType,
      required: true,
      defaultValue: "HOT",
      description:
        "The tier to restore the artifacts to. Artifacts that are already in it or in a hotter tier are skipped.",
    }),
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description: "Report what a live restore would do, but move nothing.",
    }),
    waitSeconds: t.int({
      required: true,
      defaultValue: 30,
      description: `How long to wait for the job to finish before returning it as RUNNING: 0 to ${MAX_WAIT_SECONDS} seconds, else BAD_USER_INPUT. Closing the connection does not cancel the job.`,
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RestoreArtifactsPayload = builder
  .objectRef<{ readonly job: RestoreJob }>("RestoreArtifactsPayload")
  .implement({
    description: "The job of the restore.",
    fields: (t) => ({
      job: t.expose("job", {
        type: RestoreJobType,
        description: "The job when it finished, or when `waitSeconds` had passed.",
      }),
    }),
  });

builder.mutationField("restoreArtifacts", (t) =>
  t.field({
    needs: "restore",
    type: RestoreArtifactsPayload,
    nullable: true,
    description: "Starts a job that restores several artifacts to a hotter tier. Needs WRITER.",
    args: {
      input: t.arg({
        type: RestoreArtifactsInput,
        required: true,
        description: "The artifacts to restore, and their new tier.",
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
      `${argument} is required: a restore by filter covers one tenant. Give the tenant.`,
      { argument },
    );
  }
  return { where: filter, ...asked };
}
