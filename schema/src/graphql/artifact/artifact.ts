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
    "One file that a workflow produced, named by its key: tenant, workflow and artifact id. Writing to a key again replaces content, content type and metadata; the artifact, its id and its createdAt stay.",
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({
      description: "Opaque global id. It stays the same for a key, whatever is written to it.",
      resolve: artifactGlobalId,
    }),
    tenant: t.field({
      type: TenantType,
      description: "The tenant it belongs to.",
      // A tenant exists from its first artifact, so there is nothing to look up.
      resolve: ({ tenantId }) => ({ tenantId }),
    }),
    workflow: t.field({
      type: WorkflowType,
      description: "The workflow that produced it.",
      resolve: ({ tenantId, workflowId }) => ({ tenantId, workflowId }),
    }),
    tenantId: t.exposeString("tenantId", { description: "First part of its key." }),
    workflowId: t.exposeString("workflowId", { description: "Second part of its key." }),
    artifactId: t.exposeString("artifactId", { description: "Last part of its key." }),
    tier: t.expose("tier", { type: TierType, description: "The tier it is in." }),
    sizeBytes: t.expose("sizeBytes", { type: "SafeInt", description: "Size of its content in bytes." }),
    checksum: t.exposeString("checksum", {
      description: "SHA-256 of its content in 64 lower-case hexadecimal digits; also its ETag on HTTP.",
    }),
    contentType: t.exposeString("contentType", { description: "Media type of its content." }),
    metadata: t.field({
      type: "JSONObject",
      description: "What its writer said about it.",
      resolve: (artifact, _args, { reads }) => {
        const text = metadataText(artifact);
        if (text !== undefined) return new JsonText(text);
        reads.answer.add(valueBytes(artifact.metadata));
        return artifact.metadata;
      },
    }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When this key was first written." }),
    modifiedAt: t.expose("modifiedAt", {
      type: "DateTime",
      description: "When its content was last written.",
    }),
    promotedAt: t.expose("promotedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it last changed tier. Null: not since it was last written.",
    }),
    promotedFrom: t.expose("promotedFrom", {
      type: TierType,
      nullable: true,
      description: "The tier it last came from. Null: it has not moved since it was last written.",
    }),
    ageSince: t.expose("ageSince", {
      type: "DateTime",
      description:
        "The instant its age counts from: its last write or its last move to a hotter tier, whichever is later.",
    }),
    ageDays: t.float({
      description: "Its age in days of 24 hours, with fractions; never negative.",
      args: {
        asOf: t.arg({ type: "DateTime", description: "The instant to judge it at. Default: now." }),
      },
      resolve: ({ ageSince }, { asOf }, { reads }) => ageDays(ageSince, asOf ?? reads.now),
    }),
    damagedAt: t.expose("damagedAt", {
      type: "DateTime",
      nullable: true,
      description:
        "When its stored bytes were found damaged or gone: reading them is CHECKSUM_MISMATCH until it is written again or mended. Null: they never were, as far as anybody has read them.",
    }),
    nextTransition: t.field({
      type: NextTransition,
      nullable: true,
      description:
        "What the lifecycle does to it next under the retention policy in force. Null: nothing, ever; so with what is cold and has the key retention_override in its metadata, which is never purged.",
      resolve: async (artifact, _args, { reads }) => {
        const next = nextTransition(artifact, await reads.loaders.retentionPolicy(artifact.tenantId));
        // A DateTime cannot say later than the year 9999, and nobody waits that long: it is never.
        return next !== null && next.at <= LATEST_MS ? next : null;
      },
    }),
    text: t.string({
      nullable: true,
      description:
        "Its content as text. Null: it is not valid UTF-8, or larger than this server answers inline (1 MiB unless configured otherwise). Over 16 MiB of text and base64 in one request: QUERY_TOO_COMPLEX. Damaged content: CHECKSUM_MISMATCH.",
      resolve: async (artifact, _args, context) => {
        const bytes = await inlineContent(artifact, context);
        return bytes && utf8Text(bytes);
      },
    }),
    base64: t.field({
      type: "Base64",
      nullable: true,
      description:
        "Its content as base64. Null: larger than this server answers inline (1 MiB unless configured otherwise). Over 16 MiB of text and base64 in one request: QUERY_TOO_COMPLEX. Damaged content: CHECKSUM_MISMATCH.",
      resolve: (artifact, _args, context) => inlineContent(artifact, context),
    }),
    downloadUrl: t.string({
      description:
        "Where to GET its bytes, whatever their size: a path to resolve against the URL of this endpoint, with the path of PUBLIC_URL. PUT there replaces them.",
      resolve: (artifact, _args, { services }) => artifactPath(services.basePath, artifact),
    }),
  }),
});
