import type { Artifact } from "../../services/artifacts.ts";
import type { TierCount, WorkflowName } from "../../services/tenants.ts";
import { builder } from "./builder.ts";

// Artifacts, workflows, tenants and tier statistics refer to each other. Their references are declared here,
// and each type is implemented in a separate file, so that no two files import each other.

/** A tenant that exists. */
export interface Tenant {
  readonly tenantId: string;
}

export interface TierStats {
  readonly count: TierCount;
  /** The tenant whose artifacts are counted; null: all tenants that the caller may see. */
  readonly tenantId: string | null;
}

export const ArtifactType = builder.objectRef<Artifact>("Artifact");
export const WorkflowType = builder.objectRef<WorkflowName>("Workflow");
export const TenantType = builder.objectRef<Tenant>("Tenant");
export const TierStatsType = builder.objectRef<TierStats>("TierStats");

export const ArtifactConnection = builder.connectionObject({
  type: ArtifactType,
  name: "ArtifactConnection",
});
export const WorkflowConnection = builder.connectionObject({
  type: WorkflowType,
  name: "WorkflowConnection",
});
export const TenantConnection = builder.connectionObject({ type: TenantType, name: "TenantConnection" });
