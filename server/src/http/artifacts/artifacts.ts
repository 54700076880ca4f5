import { ageDays } from "@tierkeep/schema/domain/ages";
import { requireKey } from "@tierkeep/schema/domain/identifiers";
import { type ArtifactKey, artifactPath } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { artifactGlobalId } from "@tierkeep/schema/graphql/types/global-ids";
import type { Artifact, ArtifactContent, ByteRange } from "@tierkeep/schema/services/artifacts";
import type { Services } from "@tierkeep/schema/services/services";
import type { UploadTerms } from "@tierkeep/schema/services/urls";
import { type Credentials, requireValid } from "../auth/credentials.ts";
import type { Call } from "../call.ts";
import { DOWNLOAD_BYTES, UPLOAD_BYTES } from "../limits/limits.ts";
import { HttpRefused, methodRefused } from "../problem.ts";
import { artifactKeyOf } from "./artifact-path.ts";
import { byteRange } from "./byte-range.ts";
import { attachment } from "./content-disposition.ts";
import { metadataLengthOf, splitBody } from "./leading-metadata.ts";
import { rangeApplies, readPrecondition } from "./preconditions.ts";
import { atMost, SIGNED, termsFirst } from "./signed-request.ts";
import { checked } from "./upload-digests.ts";
import { uploadOptionsOf } from "./upload-headers.ts";

/**
 * Reads and writes an artifact's bytes at its URL, as streams. `path` is the path as sent.
 *
 * @param terms the upload terms of a signed URL; null: the request sets them
 */
export async function artifacts(
  request: Request,
  path: string,
  call: Call,
  services: Services,
  terms: UploadTerms | null,
): Promise<Response> {
  const query = new URL(request.url).searchParams;
  query.delete(SIGNED);
  switch (request.method) {
    case "GET":
    case "HEAD":
      return download(request, artifactKeyOf(path), query, call, services);
    case "PUT":
      return upload(request, artifactKeyOf(path), query, call, services, terms);
    default:
      throw methodRefused(request.method, "GET, HEAD, PUT, OPTIONS");
  }
}

async function upload(
  request: Request,
  key: ArtifactKey,
  query: URLSearchParams,
  call: Call,
  services: Services,
  terms: UploadTerms | null,
): Promise<Response> {
  const { principal, credentials, charge } = call;
  const { maxArtifactBytes } = services.limits;
  let charged = 0;
  call.onBodyBytes = (bytes) => {
    const more = Math.min(bytes, UPLOAD_BYTES - charged);
    charge.add(more);
    charged += more;
  };
  const maxBytes = terms?.maxBytes ?? maxArtifactBytes;
  const { digests, ...options } = termsFirst(terms, uploadOptionsOf(request.headers, query, maxBytes));
  let { metadata } = options;
  let body = request.body === null ? NO_BYTES : whileValid(request.body, credentials);
  const metadataLength = metadataLengthOf(request.headers);
  if (metadataLength > 0) {
    if (terms !== null)
      throw new Refused(
        "BAD_USER_INPUT",
        "An upload to a signed URL cannot have metadata. Send the content without it.",
      );
    ({ metadata, content: body } = await splitBody(body, metadataLength));
  }
  const bounded = terms === null ? body : atMost(maxBytes, body);
  const content =
    digests.length > 0 ? checked(bounded, digests) : request.body === null ? new Uint8Array() : bounded;
  const { artifact, created } = await services.artifacts.write(
    principal,
    { ...key, ...options, metadata },
    content,
    request.signal,
  );
  return Response.json(
    { created, artifact: scalarsOf(artifact, services) },
    { status: created ? 201 : 200, headers: { etag: etagOf(artifact) } },
  );
}

const NO_BYTES: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
};

/** Returns the scalar fields of the artifact as in GraphQL, without its content. */
function scalarsOf(artifact: Artifact, { now, basePath }: Services) {
  return {
    id: artifactGlobalId(artifact),
    tenantId: artifact.tenantId,
    workflowId: artifact.workflowId,
    artifactId: artifact.artifactId,
    tier: artifact.tier,
    sizeBytes: artifact.sizeBytes,
    checksum: artifact.checksum,
    contentType: artifact.contentType,
    metadata: artifact.metadata,
    createdAt: iso(artifact.createdAt),
    modifiedAt: iso(artifact.modifiedAt),
    promotedAt: artifact.promotedAt === null ? null : iso(artifact.promotedAt),
    promotedFrom: artifact.promotedFrom,
    ageSince: iso(artifact.ageSince),
    damagedAt: artifact.damagedAt === null ? null : iso(artifact.damagedAt),
    ageDays: ageDays(artifact.ageSince, now()),
    downloadUrl: artifactPath(basePath, artifact),
  };
}

async function download(
  request: Request,
  key: ArtifactKey,
  query: URLSearchParams,
  call: Call,
  services: Services,
): Promise<Response> {
  for (const name of query.keys()) {
    throw new Refused(
      "BAD_USER_INPUT",
      `The URL has the query parameter ${JSON.stringify(name)}, which a read does not accept.`,
      {
        argument: "query",
      },
    );
  }
  let status: 200 | 206 | 304 | 412 | 416 = 200;
  let range: ByteRange | null = null;
  let charged = 0;
  const charge = (bytes: number) => {
    const held = Math.min(bytes, DOWNLOAD_BYTES);
    call.charge.add(held - charged);
    charged = held;
  };
  const pick = (artifact: Artifact): ByteRange | null | false => {
    // Called again if the row changed in between, so start with clean state.
    status = 200;
    range = null;
    const validators = { etag: etagOf(artifact), lastModified: artifact.modifiedAt };
    const precondition = readPrecondition(request.headers, validators);
    if (precondition !== null) status = precondition;
    if (precondition !== null || request.method === "HEAD") return false;
    const requested = rangeApplies(request.headers, validators, Date.now())
      ? byteRange(request.headers.get("range"), artifact.sizeBytes)
      : null;
    if (requested === "unsatisfiable") {
      status = 416;
      return false;
    }
    charge(requested === null ? artifact.sizeBytes : requested.end + 1 - requested.start);
    if (requested !== null) status = 206;
    range = requested;
    return requested;
  };
  const content = await services.artifacts.open(call.principal, requireKey(key), pick, request.signal);
  if (content === null) {
    throw new Refused(
      "ARTIFACT_NOT_FOUND",
      "There is no artifact at this URL. List the workflow's artifacts to find it.",
    );
  }
  return contentResponse(content, status, range, request, call);
}

function contentResponse(
  content: ArtifactContent,
  status: 200 | 206 | 304 | 412 | 416,
  range: ByteRange | null,
  request: Request,
  call: Call,
): Response {
  const { artifact } = content;
  const total = artifact.sizeBytes;
  if (status === 412) {
    throw new Refused(
      "PRECONDITION_FAILED",
      "The artifact's content does not match the request's conditions. Use its current ETag, or send no conditions.",
      { checksum: artifact.checksum },
    );
  }
  if (status === 416) {
    throw new HttpRefused(
      new Refused("BAD_USER_INPUT", `The range is outside the content's ${total} bytes.`),
      {
        status,
        headers: { "content-range": `bytes */${total}`, "accept-ranges": "bytes" },
      },
    );
  }
  const headers = new Headers({
    etag: etagOf(artifact),
    "last-modified": new Date(artifact.modifiedAt).toUTCString(),
    "cache-control": "private, no-cache",
  });
  if (status === 304) return new Response(null, { status, headers });
  headers.set("accept-ranges", "bytes");
  headers.set("content-type", artifact.contentType);
  headers.set("content-length", String(request.method === "HEAD" ? total : content.sizeBytes));
  headers.set(
    "content-disposition",
    attachment(artifact.artifactId.slice(artifact.artifactId.lastIndexOf("/") + 1)),
  );
  headers.set("repr-digest", `sha-256=:${Buffer.from(artifact.checksum, "hex").toString("base64")}:`);
  // Whatever its content type, a browser must not show it as a page of this origin or inside one.
  headers.set("content-security-policy", "sandbox; default-src 'none'");
  if (range !== null) headers.set("content-range", `bytes ${range.start}-${range.end}/${total}`);
  call.status = status;
  const body = request.method === "HEAD" ? null : streamOf(content.body, call);
  return new Response(body, { status, headers });
}

/** Passes on a body. Fails before the next chunk once the credentials of the request have expired. */
async function* whileValid(
  body: AsyncIterable<Uint8Array>,
  credentials: Credentials,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    requireValid(credentials);
    yield chunk;
  }
}

/** Returns a stream that is pulled only as fast as it is read, without read-ahead. */
function streamOf(body: AsyncIterable<Uint8Array>, call: Call): ReadableStream<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  call.streams = true;
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          requireValid(call.credentials);
          const { done, value } = await iterator.next();
          if (!done) return controller.enqueue(value);
          controller.close();
          call.answered();
        } catch (error) {
          call.answered(error);
          await iterator.return?.();
          throw error;
        }
      },
      async cancel() {
        call.answered();
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

function etagOf({ checksum }: Artifact): string {
  return `"${checksum}"`;
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
