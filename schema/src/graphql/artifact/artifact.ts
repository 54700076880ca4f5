import { ageDays } from "../../domain/ages.ts";
import { artifactPath } from "../../domain/keys.ts";
import { metadataText } from "../../domain/metadata.ts";
import { nextTransition } from "../../domain/policy.ts";
import { NextTransition } from "../lifecycle/next-transition.ts";
import { JsonText, valueBytes } from "../limits/json-text.ts";
import { builder } from "../types/builder.ts";
import { artifactGlobalId } from "../types/global-ids.ts";
import { ArtifactType, TenantType, WorkflowType } from "../types/references.ts";
import { LATEST_MS } from "../types/scalars.ts";
import { inlineContent, utf8Text } from "./inline-content.ts";
import { TierType } from "./tier.ts";

ArtifactType.implement({
  description:
    "A file that a workflow produced. Its key is its tenant, workflow and artifact id. A later write to the key replaces content, content type and metadata, and keeps `id` and `createdAt`.",
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({
      description: "Opaque global id. It depends only on the key, so a write never changes it.",
      resolve: artifactGlobalId,
    }),
    tenant: t.field({
      type: TenantType,
      description: "The artifact's tenant.",
      // A tenant exists from its first artifact on, so no lookup is needed.
      resolve: ({ tenantId }) => ({ tenantId }),
    }),
    workflow: t.field({
      type: WorkflowType,
      description: "The artifact's workflow.",
      resolve: ({ tenantId, workflowId }) => ({ tenantId, workflowId }),
    }),
    tenantId: t.exposeString("tenantId", { description: "First part of the key: the tenant's name." }),
    workflowId: t.exposeString("workflowId", { description: "Second part of the key: the workflow's name." }),
    artifactId: t.exposeString("artifactId", { description: "Last part of the key: the artifact's name." }),
    tier: t.expose("tier", { type: TierType, description: "The tier that holds the artifact." }),
    sizeBytes: t.expose("sizeBytes", { type: "SafeInt", description: "Size of the content in bytes." }),
    checksum: t.exposeString("checksum", {
      description: "SHA-256 of the content in 64 lower-case hexadecimal digits. Also its ETag over HTTP.",
    }),
    contentType: t.exposeString("contentType", { description: "Media type of the content." }),
    metadata: t.field({
      type: "JSONObject",
      description: "The metadata that the writer gave, as a JSON object.",
      resolve: (artifact, _args, { reads }) => {
        const text = metadataText(artifact);
        if (text !== undefined) return new JsonText(text);
        reads.answer.add(valueBytes(artifact.metadata));
        return artifact.metadata;
      },
    }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When the key was first written." }),
    modifiedAt: t.expose("modifiedAt", {
      type: "DateTime",
      description: "When the content was last written.",
    }),
    promotedAt: t.expose("promotedAt", {
      type: "DateTime",
      nullable: true,
      description:
        "When the artifact last changed tier. Null if it has not changed tier since its last write.",
    }),
    promotedFrom: t.expose("promotedFrom", {
      type: TierType,
      nullable: true,
      description:
        "The tier that the artifact was in before `promotedAt`. Null if it has not changed tier since its last write.",
    }),
    ageSince: t.expose("ageSince", {
      type: "DateTime",
      description:
        "The instant from which the age counts: the last write or the last move to a hotter tier, if that is later.",
    }),
    ageDays: t.float({
      description: "The artifact's age in days of 24 hours, with fractions. Never negative.",
      args: {
        asOf: t.arg({
          type: "DateTime",
          description: "The instant at which to compute the age. Default: now.",
        }),
      },
      resolve: ({ ageSince }, { asOf }, { reads }) => ageDays(ageSince, asOf ?? reads.now),
    }),
    damagedAt: t.expose("damagedAt", {
      type: "DateTime",
      nullable: true,
      description:
        "When the server found the stored content damaged or missing. Reads then fail with CHECKSUM_MISMATCH until the artifact is written again or repaired. Null if no read or verification has found damage.",
    }),
    nextTransition: t.field({
      type: NextTransition,
      nullable: true,
      description:
        "The next lifecycle step for the artifact under the retention policy in force. Null if no step follows. An artifact in COLD with the key `retention_override` in its metadata is never purged.",
      resolve: async (artifact, _args, { reads }) => {
        const next = nextTransition(artifact, await reads.loaders.retentionPolicy(artifact.tenantId));
        // A DateTime ends with the year 9999; a later transition counts as never.
        return next !== null && next.at <= LATEST_MS ? next : null;
      },
    }),
    text: t.string({
      nullable: true,
      description:
        "The content as text. Null if it is not valid UTF-8, or is larger than `Server.maxInlineBytes` (default: 1 MiB); then use `downloadUrl`. Over 16 MiB of `text` and `base64` in one request: QUERY_TOO_COMPLEX. Damaged content: CHECKSUM_MISMATCH. Content replaced or purged during the request: CONFLICT; retry.",
      resolve: async (artifact, _args, context) => {
        const bytes = await inlineContent(artifact, context);
        return bytes && utf8Text(bytes);
      },
    }),
    base64: t.field({
      type: "Base64",
      nullable: true,
      description:
        "The content as base64. Null if it is larger than `Server.maxInlineBytes` (default: 1 MiB); then use `downloadUrl`. Over 16 MiB of `text` and `base64` in one request: QUERY_TOO_COMPLEX. Damaged content: CHECKSUM_MISMATCH. Content replaced or purged during the request: CONFLICT; retry.",
      resolve: (artifact, _args, context) => inlineContent(artifact, context),
    }),
    downloadUrl: t.string({
      description:
        "Path of the content, including the path of PUBLIC_URL. Resolve it against the URL of this endpoint. GET downloads the content, of any size; PUT replaces it.",
      resolve: (artifact, _args, { services }) => artifactPath(services.basePath, artifact),
    }),
  }),
});
