import type { StoreFinding, StoreFindingKind } from "../../domain/findings.ts";
import { requirePage } from "../../domain/pages.ts";
import type { ReindexJob, VerifyJob } from "../../services/jobs.ts";
import { TierType } from "../artifact/tier.ts";
import { builder } from "../types/builder.ts";
import { connectionOf } from "../types/connections.ts";
import { described } from "../types/described-enum.ts";

const StoreFindingKindType = builder.enumType("StoreFindingKind", {
  description:
    "The kind of a finding. Every kind except ADOPTED, RETENTION_OVERRIDE, HEALED, REPUBLISHED and RECOUNTED is a problem and counts as an error.",
  values: described<StoreFindingKind>({
    ADOPTED: "An artifact that the catalog did not have was added to it.",
    QUARANTINED:
      "A file was moved to the store's quarantine; nothing is deleted. Possible reasons: it was at the path of an artifact, it had the key of an artifact in another tier, or a repair found that it belongs to no artifact.",
    NAME_REFUSED: "The file's path has a name that breaks the naming rule. The file is left in place.",
    NOT_AN_ARTIFACT:
      "The published tree has a file where a folder is expected, or something other than a file where a file is expected, such as a folder or a symbolic link. The entry is left in place.",
    ORPHAN_SIDECAR: "A sidecar has no artifact file beside it. The sidecar is left in place.",
    TORN_SIDECAR:
      "A sidecar is unreadable, or its metadata is invalid. The artifact is adopted without the sidecar.",
    CHECKSUM_DIFFERS:
      "The sidecar `ARTIFACT.metadata.json` states a checksum that does not match the artifact's file. Only the sidecar's metadata is imported.",
    TEMPORARY_FILE: "A temporary file of an interrupted write. It is left in place.",
    CHANGING: "The file changed while it was read. It is left in place.",
    UNREADABLE: "The server has no permission to read the file or folder, or the disk failed to read it.",
    RETENTION_OVERRIDE:
      "The artifact has the key `retention_override` in its metadata, so it is never purged.",
    DAMAGED: "The artifact's content differs from the content that was written.",
    MISSING: "The artifact's content is missing.",
    STRAY: "An unknown object or file, which belongs to no artifact. It is left in place.",
    VIEW_DIFFERS: "A path of the published tree does not match the catalog. The artifact itself is intact.",
    HEALED:
      "The content of a damaged artifact was recovered. The damaged bytes, if any, are in the store's quarantine.",
    REPUBLISHED: "A path of the published tree did not match the catalog. It was published again.",
    MISCOUNTED:
      "Usage counts of a tenant or a workflow, or of the complete store if neither is given, differ from a full count. The artifacts themselves are intact.",
    RECOUNTED: "Usage counts differed from a full count and were corrected.",
    OVERDUE:
      "Background work that normally takes seconds has been pending for more than a day: content that is not stored as an object yet, paths to publish, objects to delete, or uploads that were neither completed nor abandoned. Check the server's log for what prevents it.",
  }),
});

const StoreFindingType = builder.objectRef<StoreFinding>("StoreFinding");

const StoreFindingConnection = builder.connectionObject({
  type: StoreFindingType,
  name: "StoreFindingConnection",
});

StoreFindingType.implement({
  description: "One thing that a reindex or a verification found.",
  fields: (t) => ({
    kind: t.expose("kind", { type: StoreFindingKindType, description: "The kind of the finding." }),
    path: t.exposeString("path", {
      nullable: true,
      description: "Path below STORAGE_BASE_PATH, with slashes. Null if the finding has no path.",
    }),
    tenantId: t.exposeString("tenantId", {
      nullable: true,
      description:
        "First part of the artifact's key, or the tenant. Null if the finding concerns no single tenant.",
    }),
    workflowId: t.exposeString("workflowId", {
      nullable: true,
      description:
        "Second part of the artifact's key, or the workflow. Null if the finding concerns no single workflow.",
    }),
    artifactId: t.exposeString("artifactId", {
      nullable: true,
      description: "Last part of the artifact's key. Null if the finding concerns no artifact.",
    }),
    tier: t.expose("tier", {
      type: TierType,
      nullable: true,
      description: "The tier of the path or the artifact. Null if there is none.",
    }),
    message: t.exposeString("message", {
      description: "What was found and what was done about it, as a sentence.",
    }),
  }),
});

type FieldsOf<Shape> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Shape>;

/** Returns the field `findings` of a job that scans the store. */
export const findingsField = (t: FieldsOf<ReindexJob> | FieldsOf<VerifyJob>) =>
  t.connection(
    {
      type: StoreFindingType,
      description:
        "The findings of the job, in the order in which it made them. Kept for the last 100 jobs of the same kind and tenant.",
      resolve: async ({ id }, args, { services, principal }) =>
        connectionOf(await services.jobs.findings(principal, id, requirePage(args))),
    },
    StoreFindingConnection,
  );
