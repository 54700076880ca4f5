import type { Quarantine } from "../../services/quarantine.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { QuarantineType } from "./quarantine.ts";

/** Files that an answer lists. */
const LISTED = 1000;

builder.queryField("quarantine", (t) =>
  t.field({
    needs: "manageQuarantine",
    type: QuarantineType,
    description: "What repairs and reindexes moved out of the way. Needs ADMIN.",
    resolve: (_root, _args, { services, principal }) => services.quarantine.list(principal, LISTED),
  }),
);

const EmptyQuarantineInput = builder.inputType("EmptyQuarantineInput", {
  description: "What to delete from quarantine.",
  fields: (t) => ({
    movedBefore: t.field({
      type: "DateTime",
      description: "Only what was moved there before this instant. Null: everything.",
    }),
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description: "Find out what would be deleted, and change nothing.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

interface Emptied {
  readonly quarantine: Quarantine;
  readonly dryRun: boolean;
}

const EmptyQuarantinePayload = builder.objectRef<Emptied>("EmptyQuarantinePayload").implement({
  description: "What was deleted.",
  fields: (t) => ({
    deleted: t.expose("quarantine", {
      type: QuarantineType,
      description:
        "What was deleted or, in a dry run, would be. A retry with the same idempotency key has no files.",
    }),
    dryRun: t.exposeBoolean("dryRun", { description: "True: nothing was changed." }),
  }),
});

builder.mutationField("emptyQuarantine", (t) =>
  t.field({
    needs: "manageQuarantine",
    type: EmptyQuarantinePayload,
    nullable: true,
    description:
      "Deletes files from quarantine; they cannot be brought back. Each deletion is an event. Refused like a purge: UNAVAILABLE while the audit log cannot be written, HELD until a reindex is confirmed. Needs ADMIN.",
    args: { input: t.arg({ type: EmptyQuarantineInput, required: true, description: "What to delete." }) },
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
