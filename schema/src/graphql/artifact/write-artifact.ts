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
    "Content given inline, in exactly one of these forms. Content larger than the server takes inline (1 MiB unless configured otherwise) is sent with PUT to the artifact's URL.",
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: "Text, stored as UTF-8 without a byte order mark of its own." }),
    base64: t.field({ type: "Base64", description: "Any bytes." }),
  }),
});

const WriteArtifactInput = builder.inputType("WriteArtifactInput", {
  description: "What to write, and where.",
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
      description: "The tier it goes into.",
    }),
    content: t.field({
      type: ArtifactContentInput,
      required: true,
      description: "Its bytes. They may be none.",
    }),
    contentType: t.string({
      description:
        "Media type, at most 255 characters, such as `text/plain; charset=utf-8`. Default: by the artifact id's ending, else `application/octet-stream`.",
    }),
    metadata: t.field({
      type: "JSONObject",
      description:
        "Facts to keep with it, at most 64 KiB as JSON (CONTENT_TOO_LARGE). A key that starts with `_` is reserved: BAD_USER_INPUT. Default: none.",
    }),
    checksum: t.string({
      description:
        "The SHA-256 that the content must have, in 64 lower-case hexadecimal digits. If it has another: CHECKSUM_MISMATCH.",
    }),
    ifAbsent: t.boolean({
      required: true,
      defaultValue: false,
      description: "Only where the key does not exist yet, else PRECONDITION_FAILED.",
    }),
    ifChecksum: t.string({
      description: "Only where the current content has this SHA-256, else PRECONDITION_FAILED.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const WriteArtifactPayload = builder
  .objectRef<{ readonly artifact: Artifact; readonly created: boolean }>("WriteArtifactPayload")
  .implement({
    description:
      "What was written. It survives a power cut by the time this is answered, unless the server runs with DURABILITY=os.",
    fields: (t) => ({
      artifact: t.expose("artifact", {
        type: ArtifactType,
        description: "The artifact as it is now; on a repeat, as it was then.",
      }),
      created: t.exposeBoolean("created", { description: "False where it replaced one of the same key." }),
    }),
  });

builder.mutationField("writeArtifact", (t) =>
  t.field({
    needs: "write",
    type: WriteArtifactPayload,
    nullable: true,
    description:
      "Writes an artifact, or replaces the one of its key: content, content type and metadata whole. Its age starts anew. Needs WRITER.",
    args: {
      input: t.arg({ type: WriteArtifactInput, required: true, description: "What to write, and where." }),
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

/** @throws Refused CONTENT_TOO_LARGE over `maxBytes`; BAD_USER_INPUT for text that is not well-formed */
function requireContent(content: typeof ArtifactContentInput.$inferInput, maxBytes: number): Uint8Array {
  if (content.text == null)
    return requireInline(content.base64 ?? new Uint8Array(), "input.content.base64", maxBytes);
  const argument = "input.content.text";
  // Each UTF-16 unit takes a byte or more, so this much text is too large without encoding it.
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
    `${argument} is ${size} bytes; at most ${maxBytes} are taken inline. Send larger content with PUT /artifacts/{tenantId}/{workflowId}/{artifactId}.`,
    { argument },
  );
}
