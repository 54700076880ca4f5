import type { RetentionPolicy } from "../../domain/policy.ts";
import { optionalIdentifier } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";

export const RetentionPolicyType = builder.objectRef<RetentionPolicy>("RetentionPolicy");

RetentionPolicyType.implement({
  description:
    "How long artifacts stay in each tier: thresholds on their age in days, each to be exceeded strictly. Age counts from the last write or the last move to a hotter tier, not from arrival in a tier.",
  fields: (t) => ({
    hotDays: t.exposeFloat("hotDays", {
      nullable: true,
      description: "Over this age it leaves HOT for WARM. Null: never.",
    }),
    warmDays: t.exposeFloat("warmDays", {
      nullable: true,
      description: "Over this age it leaves WARM for COLD. Null: never.",
    }),
    coldDays: t.exposeFloat("coldDays", {
      nullable: true,
      description: "Over this age it is purged from COLD. Null: never.",
    }),
  }),
});

builder.queryField("retentionPolicy", (t) =>
  t.field({
    needs: "read",
    type: RetentionPolicyType,
    description: "The retention policy in force.",
    args: {
      tenantId: t.arg.string({
        description: "For this tenant. Left out: the default, for tenants without one of their own.",
      }),
    },
    resolve: (_root, args, { reads }) =>
      reads.loaders.retentionPolicy(optionalIdentifier("tenantId", args.tenantId) ?? null),
  }),
);
