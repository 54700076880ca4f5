import type { StoreFinding, StoreFindingKind } from "../../domain/findings.ts";
import { requirePage } from "../../domain/pages.ts";
import type { ReindexJob, VerifyJob } from "../../services/jobs.ts";
import { TierType } from "../artifact/tier.ts";
import { builder } from "../types/builder.ts";
import { connectionOf } from "../types/connections.ts";
import { described } from "../types/described-enum.ts";

const StoreFindingKindType = builder.enumType("StoreFindingKind", {
  description:
    "What a finding tells of. All but ADOPTED, RETENTION_OVERRIDE, HEALED, REPUBLISHED and RECOUNTED are problems, and count as errors.",
  values: described<StoreFindingKind>({
    ADOPTED: "An artifact that the catalog did not have has been taken up.",
    QUARANTINED:
      "A file that stands in an artifact's way, of the same key in another tier or in its own place; or bytes that belong to no artifact, in a repair. It is moved to the store's quarantine, and nothing is deleted.",
    NAME_REFUSED: "A file whose names no artifact may have. It stays where it is.",
    NOT_AN_ARTIFACT:
      "Something that is no file where only files belong, or no folder where only folders do: links too. It stays where it is.",
    ORPHAN_SIDECAR: "A sidecar without its file. It stays where it is.",
    TORN_SIDECAR:
      "A sidecar that cannot be read, or holds metadata that cannot be kept. Its artifact is adopted without it.",
    CHECKSUM_DIFFERS: "A sidecar that speaks of other bytes. Only its metadata is kept.",
    TEMPORARY_FILE: "What a write that broke off has left. It stays where it is.",
    CHANGING: "A file that changed while it was read. It stays where it is.",
    UNREADABLE: "A file or folder that this server may not read, or that its disk fails to read.",
    RETENTION_OVERRIDE: "An artifact that has the key retention_override in its metadata: nothing purges it.",
    DAMAGED: "An artifact whose bytes are not the ones that were written.",
    MISSING: "An artifact whose bytes are gone.",
    STRAY: "Bytes that belong to no artifact. They stay where they are.",
    VIEW_DIFFERS:
      "A place in the published tree that is not as the catalog says. The artifact itself is unharmed.",
    HEALED:
      "A damaged artifact whose bytes were found again. What was left of the old ones is in the store's quarantine.",
    REPUBLISHED: "A place in the published tree that was not as the catalog says. It is published anew.",
    MISCOUNTED:
      "Counters of a tenant, of a workflow or, with neither, of the whole store that are not what a full count says. The artifacts themselves are unharmed.",
    RECOUNTED: "The same. They are counted anew.",
    OVERDUE:
      "Work that follows changes within seconds and has been left undone for more than a day: bytes without a file, places of the tree, objects that were to go. Something is in the server's way.",
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
    kind: t.expose("kind", { type: StoreFindingKindType, description: "What it tells of." }),
    path: t.exposeString("path", {
      nullable: true,
      description: "Where it is or was, below STORAGE_BASE_PATH, with slashes. Null: no path is concerned.",
    }),
    tenantId: t.exposeString("tenantId", {
      nullable: true,
      description:
        "First part of the artifact's key, or the tenant concerned. Null: it is about no tenant's.",
    }),
    workflowId: t.exposeString("workflowId", {
      nullable: true,
      description:
        "Second part of the artifact's key, or the workflow concerned. Null: it is about no workflow's.",
    }),
    artifactId: t.exposeString("artifactId", {
      nullable: true,
      description: "Last part of the artifact's key. Null: it is about no artifact.",
    }),
    tier: t.expose("tier", {
      type: TierType,
      nullable: true,
      description: "The tier that the path or the artifact is in. Null: none.",
    }),
    message: t.exposeString("message", { description: "What was found, and what became of it." }),
  }),
});

type FieldsOf<Shape> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Shape>;

/** The `findings` of a job that looks through the store. */
export const findingsField = (t: FieldsOf<ReindexJob> | FieldsOf<VerifyJob>) =>
  t.connection(
    {
      type: StoreFindingType,
      description: "What it found, in that order. Kept for the last 100 jobs of its kind and tenant.",
      resolve: async ({ id }, args, { services, principal }) =>
        connectionOf(await services.jobs.findings(principal, id, requirePage(args))),
    },
    StoreFindingConnection,
  );
