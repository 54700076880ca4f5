import type { RetentionPolicy } from "../../domain/policy.ts";
import { optionalIdentifier } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";

export const RetentionPolicyType = builder.objectRef<RetentionPolicy>("RetentionPolicy");

RetentionPolicyType.implement({
  description:
    "How long artifacts stay in each tier, as thresholds on their age in days. A step is due when the age is greater than the threshold. The age counts from the last write or the last move to a hotter tier, not from the arrival in a tier.",
  fields: (t) => ({
    hotDays: t.exposeFloat("hotDays", {
      nullable: true,
      description: "Age in days over which an artifact moves from HOT to WARM. Null: never.",
    }),
    warmDays: t.exposeFloat("warmDays", {
      nullable: true,
      description: "Age in days over which an artifact moves from WARM to COLD. Null: never.",
    }),
    coldDays: t.exposeFloat("coldDays", {
      nullable: true,
      description: "Age in days over which an artifact is purged from COLD. Null: never.",
    }),
  }),
});

builder.queryField("retentionPolicy", (t) =>
  t.field({
    needs: "read",
    type: RetentionPolicyType,
    description: "The retention policy in force, of the store or of one tenant.",
    args: {
      tenantId: t.arg.string({
        description:
          "The tenant. Default: the store's default policy, which applies to every tenant without a policy.",
      }),
    },
    resolve: (_root, args, { reads }) =>
      reads.loaders.retentionPolicy(optionalIdentifier("tenantId", args.tenantId) ?? null),
  }),
);
