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
    "A URL that grants one operation on one artifact without credentials, until it expires. In events, `actor` is then the caller that requested the URL. If that caller used an API key, revoking the key also disables the URL.",
  fields: (t) => ({
    url: t.exposeString("url", {
      description: "The URL. If it is relative, resolve it against the URL of this endpoint.",
    }),
    expiresAt: t.expose("expiresAt", { type: "DateTime", description: "When the URL expires." }),
  }),
});

const EXPIRES = "Lifetime of the URL: 1 to 3600 seconds, else BAD_USER_INPUT.";

const SignedUpload = builder.inputType("SignedUpload", {
  description:
    "Terms of an upload to a signed URL. They override the headers of the upload. A header applies only where the terms give no value. The artifact gets no metadata: the header Tierkeep-Metadata is ignored, and Tierkeep-Metadata-Length is rejected with BAD_USER_INPUT.",
  fields: (t) => ({
    tenantId: t.string({ required: true, description: "First part of the key." }),
    workflowId: t.string({ required: true, description: "Second part of the key." }),
    artifactId: t.string({ required: true, description: "Last part of the key." }),
    tier: t.field({
      type: TierType,
      required: true,
      defaultValue: "HOT",
      description: "The tier to write the artifact to.",
    }),
    contentType: t.string({
      description: "The artifact's content type. Default: the Content-Type of the upload.",
    }),
    checksum: t.string({
      description:
        "SHA-256 that the content must have, in 64 lower-case hexadecimal digits, else CHECKSUM_MISMATCH.",
    }),
    ifAbsent: t.boolean({
      required: true,
      defaultValue: false,
      description: "Write only if no artifact has this key, else PRECONDITION_FAILED.",
    }),
    ifChecksum: t.string({
      description: "Write only if the current content has this SHA-256, else PRECONDITION_FAILED.",
    }),
    maxBytes: t.field({
      type: "SafeInt",
      description:
        "Maximum size of the content in bytes, else CONTENT_TOO_LARGE. Default: the server's limit.",
    }),
  }),
});

builder.queryFields((t) => ({
  signedDownloadUrl: t.field({
    needs: "read",
    type: SignedUrlType,
    nullable: true,
    description: "Creates a URL that downloads an artifact with GET. Null if there is no such artifact.",
    args: {
      key: t.arg({ type: ArtifactKeyInput, required: true, description: "The artifact to download." }),
      expiresInSeconds: t.arg.int({ required: true, defaultValue: 300, description: EXPIRES }),
    },
    resolve: (_root, { key, expiresInSeconds }, { services, principal }) =>
      services.urls.download(principal, requireKey(key, "key."), expiresInSeconds),
  }),
  signedUploadUrl: t.field({
    needs: "write",
    type: SignedUrlType,
    description:
      "Creates a URL that uploads an artifact with PUT, any number of times until it expires. Needs WRITER.",
    args: {
      upload: t.arg({
        type: SignedUpload,
        required: true,
        description: "The artifact that the URL writes, and the terms of the upload.",
      }),
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
  throw new Refused("BAD_USER_INPUT", "upload.maxBytes is negative. Give 0 or more.", {
    argument: "upload.maxBytes",
  });
}
