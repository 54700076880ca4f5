import { requireChecksum } from "../../domain/checksums.ts";
import { requireContentType } from "../../domain/content-types.ts";
import { requireKey } from "../../domain/identifiers.ts";
import { requireMetadata } from "../../domain/metadata.ts";
import { Refused } from "../../domain/refusals.ts";
import type { Artifact } from "../../services/artifacts.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey, requireWellFormed } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { ArtifactType } from "../types/references.ts";
import { TierType } from "./tier.ts";

const ArtifactContentInput = builder.inputType("ArtifactContentInput", {
  description:
    "Inline content, in exactly one of these forms. Send content larger than `Server.maxInlineBytes` (default: 1 MiB) with PUT to the artifact's URL.",
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: "Text, stored as UTF-8. No byte order mark is added." }),
    base64: t.field({ type: "Base64", description: "Any bytes, as base64." }),
  }),
});

const WriteArtifactInput = builder.inputType("WriteArtifactInput", {
  description: "The artifact to write: its key, content and metadata.",
  fields: (t) => ({
    tenantId: t.string({
      required: true,
      description: "First part of the key. The tenant need not exist yet.",
    }),
    workflowId: t.string({
      required: true,
      description: "Second part of the key. The workflow need not exist yet.",
    }),
    artifactId: t.string({ required: true, description: "Last part of the key." }),
    tier: t.field({
      type: TierType,
      required: true,
      defaultValue: "HOT",
      description: "The tier to write the artifact to.",
    }),
    content: t.field({
      type: ArtifactContentInput,
      required: true,
      description: "The content. It may be empty.",
    }),
    contentType: t.string({
      description:
        "Media type, at most 255 characters, such as `text/plain; charset=utf-8`. Default: chosen by the extension of the artifact id, else `application/octet-stream`.",
    }),
    metadata: t.field({
      type: "JSONObject",
      description:
        "Metadata to store with the artifact, at most 64 KiB of JSON, else CONTENT_TOO_LARGE. Keys that start with `_` are reserved: BAD_USER_INPUT. Default: none.",
    }),
    checksum: t.string({
      description:
        "SHA-256 that the content must have, in 64 lower-case hexadecimal digits, else CHECKSUM_MISMATCH.",
    }),
    ifAbsent: t.boolean({
      required: true,
      defaultValue: false,
      description: "Write only if the key does not exist, else PRECONDITION_FAILED.",
    }),
    ifChecksum: t.string({
      description: "Write only if the current content has this SHA-256, else PRECONDITION_FAILED.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const WriteArtifactPayload = builder
  .objectRef<{ readonly artifact: Artifact; readonly created: boolean }>("WriteArtifactPayload")
  .implement({
    description:
      "The written artifact. When this is returned, the write survives a power failure, unless the server runs with DURABILITY=os.",
    fields: (t) => ({
      artifact: t.expose("artifact", {
        type: ArtifactType,
        description:
          "The artifact after the write. On a retry with the same idempotency key: as the first call returned it.",
      }),
      created: t.exposeBoolean("created", {
        description: "True if the key was new; false if the write replaced an artifact.",
      }),
    }),
  });

builder.mutationField("writeArtifact", (t) =>
  t.field({
    needs: "write",
    type: WriteArtifactPayload,
    nullable: true,
    description:
      "Writes an artifact. If the key exists, replaces its content, content type and metadata completely. The age starts at 0. Needs WRITER.",
    args: {
      input: t.arg({ type: WriteArtifactInput, required: true, description: "The artifact to write." }),
    },
    resolve: (_root, { input }, context) =>
      changing(context, ({ artifacts, limits }) => {
        const { tenantId, workflowId, artifactId } = requireKey(input, "input.");
        const options = {
          tenantId,
          workflowId,
          artifactId,
          tier: input.tier,
          contentType:
            input.contentType == null ? null : requireContentType(input.contentType, "input.contentType"),
          metadata: input.metadata == null ? {} : requireMetadata(input.metadata, "input.metadata"),
          checksum: input.checksum == null ? undefined : requireChecksum(input.checksum, "input.checksum"),
          ifAbsent: input.ifAbsent,
          ifChecksum:
            input.ifChecksum == null ? undefined : requireChecksum(input.ifChecksum, "input.ifChecksum"),
          idempotencyKey: optionalIdempotencyKey(input),
        };
        return artifacts.write(
          context.principal,
          options,
          requireContent(input.content, limits.maxInlineBytes),
        );
      }),
  }),
);

/**
 * Returns the content as bytes. @throws Refused CONTENT_TOO_LARGE over `maxBytes`; BAD_USER_INPUT for text
 * that is not well-formed
 */
function requireContent(content: typeof ArtifactContentInput.$inferInput, maxBytes: number): Uint8Array {
  if (content.text == null)
    return requireInline(content.base64 ?? new Uint8Array(), "input.content.base64", maxBytes);
  const argument = "input.content.text";
  // Each UTF-16 unit takes at least one byte, so this text is too large without encoding it.
  if (content.text.length > maxBytes) throw tooLarge(`over ${maxBytes}`, argument, maxBytes);
  return requireInline(
    new TextEncoder().encode(requireWellFormed(content.text, argument)),
    argument,
    maxBytes,
  );
}

function requireInline(bytes: Uint8Array, argument: string, maxBytes: number): Uint8Array {
  if (bytes.length > maxBytes) throw tooLarge(String(bytes.length), argument, maxBytes);
  return bytes;
}

function tooLarge(size: string, argument: string, maxBytes: number): Refused {
  return new Refused(
    "CONTENT_TOO_LARGE",
    `${argument} is ${size} bytes; at most ${maxBytes} are accepted inline. Send larger content with PUT /artifacts/{tenantId}/{workflowId}/{artifactId}.`,
    { argument },
  );
}
