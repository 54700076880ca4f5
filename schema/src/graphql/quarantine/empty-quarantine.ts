import type { Quarantine } from "../../services/quarantine.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { QuarantineType } from "./quarantine.ts";

/** Maximum number of files that a response lists. */
const LISTED = 1000;

builder.queryField("quarantine", (t) =>
  t.field({
    needs: "manageQuarantine",
    type: QuarantineType,
    description: "The files that repairs and reindexes moved to quarantine. Needs ADMIN.",
    resolve: (_root, _args, { services, principal }) => services.quarantine.list(principal, LISTED),
  }),
);

const EmptyQuarantineInput = builder.inputType("EmptyQuarantineInput", {
  description: "Which files to delete from quarantine.",
  fields: (t) => ({
    movedBefore: t.field({
      type: "DateTime",
      description: "Delete only files that were moved to quarantine before this instant. Default: all files.",
    }),
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description: "Report what would be deleted, but delete nothing.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

interface Emptied {
  readonly quarantine: Quarantine;
  readonly dryRun: boolean;
}

const EmptyQuarantinePayload = builder.objectRef<Emptied>("EmptyQuarantinePayload").implement({
  description: "The deleted files.",
  fields: (t) => ({
    deleted: t.expose("quarantine", {
      type: QuarantineType,
      description:
        "The deleted files; on a dry run, the files that would be deleted. A retry with the same idempotency key returns the numbers without the files.",
    }),
    dryRun: t.exposeBoolean("dryRun", {
      description: "True if nothing was deleted, because this was a dry run.",
    }),
  }),
});

builder.mutationField("emptyQuarantine", (t) =>
  t.field({
    needs: "manageQuarantine",
    type: EmptyQuarantinePayload,
    nullable: true,
    description:
      "Deletes files from quarantine permanently. Each deletion writes an event. If the audit log cannot be written: UNAVAILABLE. If a reindex awaits confirmReindex: HELD. Needs ADMIN.",
    args: {
      input: t.arg({ type: EmptyQuarantineInput, required: true, description: "Which files to delete." }),
    },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ quarantine }) => {
        const { dryRun } = input;
        const movedBefore = input.movedBefore ?? undefined;
        const idempotencyKey = optionalIdempotencyKey(input);
        const options = { movedBefore, dryRun, idempotencyKey };
        const deleted = await quarantine.empty(context.principal, options);
        return { quarantine: { ...deleted, files: deleted.files.slice(0, LISTED) }, dryRun };
      }),
  }),
);
