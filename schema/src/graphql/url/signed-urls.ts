import { requireChecksum } from "../../domain/checksums.ts";
import { requireContentType } from "../../domain/content-types.ts";
import { requireKey } from "../../domain/identifiers.ts";
import { Refused } from "../../domain/refusals.ts";
import type { SignedUrl } from "../../services/urls.ts";
import { ArtifactKeyInput } from "../artifact/artifact-key.ts";
import { TierType } from "../artifact/tier.ts";
import { builder } from "../types/builder.ts";

const SignedUrlType = builder.objectRef<SignedUrl>("SignedUrl").implement({
  description:
    "A URL that needs no credentials: whoever has it may do this one thing with this one artifact, in your name, until it expires. What it is used for is logged as yours. Where you came with an API key, it ends when that is revoked.",
  fields: (t) => ({
    url: t.exposeString("url", { description: "Resolves against the URL of this endpoint." }),
    expiresAt: t.expose("expiresAt", { type: "DateTime", description: "When it is good no longer." }),
  }),
});

const EXPIRES = "How long it is good for: 1 to 3600 seconds, else BAD_USER_INPUT.";

const SignedUpload = builder.inputType("SignedUpload", {
  description: "What an upload to a signed URL will be, whatever its sender says. It has no metadata.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "First part of the key." }),
    workflowId: t.string({ required: true, description: "Second part of the key." }),
    artifactId: t.string({ required: true, description: "Last part of the key." }),
    tier: t.field({
      type: TierType,
      required: true,
      defaultValue: "HOT",
      description: "The tier that it is written to.",
    }),
    contentType: t.string({ description: "Its content type. Default: what the sender says." }),
    checksum: t.string({
      description: "SHA-256 that the bytes must have, in lower-case hexadecimal, else CHECKSUM_MISMATCH.",
    }),
    ifAbsent: t.boolean({
      required: true,
      defaultValue: false,
      description: "Only where there is no artifact of this key yet, else PRECONDITION_FAILED.",
    }),
    ifChecksum: t.string({
      description: "Only where the artifact has this checksum now, else PRECONDITION_FAILED.",
    }),
    maxBytes: t.field({
      type: "SafeInt",
      description: "The most bytes that it may have, else CONTENT_TOO_LARGE. Default: what the server takes.",
    }),
  }),
});

builder.queryFields((t) => ({
  signedDownloadUrl: t.field({
    needs: "read",
    type: SignedUrlType,
    nullable: true,
    description: "A URL to GET an artifact's bytes from. Null: there is no such artifact.",
    args: {
      key: t.arg({ type: ArtifactKeyInput, required: true, description: "Which artifact." }),
      expiresInSeconds: t.arg.int({ required: true, defaultValue: 300, description: EXPIRES }),
    },
    resolve: (_root, { key, expiresInSeconds }, { services, principal }) =>
      services.urls.download(principal, requireKey(key, "key."), expiresInSeconds),
  }),
  signedUploadUrl: t.field({
    needs: "write",
    type: SignedUrlType,
    description: "A URL to PUT an artifact's bytes to, as often as one likes until it expires.",
    args: {
      upload: t.arg({ type: SignedUpload, required: true, description: "What it is for." }),
      expiresInSeconds: t.arg.int({ required: true, defaultValue: 300, description: EXPIRES }),
    },
    resolve: (_root, { upload, expiresInSeconds }, { services, principal }) => {
      const { tenantId, workflowId, artifactId, contentType, checksum, ifChecksum, maxBytes } = upload;
      const terms = {
        ...requireKey({ tenantId, workflowId, artifactId }, "upload."),
        tier: upload.tier,
        contentType: contentType == null ? null : requireContentType(contentType, "upload.contentType"),
        checksum: checksum == null ? null : requireChecksum(checksum, "upload.checksum"),
        ifAbsent: upload.ifAbsent,
        ifChecksum: ifChecksum == null ? null : requireChecksum(ifChecksum, "upload.ifChecksum"),
        maxBytes: maxBytes == null ? null : requireNotNegative(maxBytes),
      };
      return services.urls.upload(principal, terms, expiresInSeconds);
    },
  }),
}));

function requireNotNegative(maxBytes: number): number {
  if (maxBytes >= 0) return maxBytes;
  throw new Refused("BAD_USER_INPUT", "upload.maxBytes is less than nothing.", {
    argument: "upload.maxBytes",
  });
}
