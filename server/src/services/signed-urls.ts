import { createHmac, timingSafeEqual } from "node:crypto";
import { type ArtifactKey, artifactPath } from "@tierkeep/schema/domain/keys";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { SignedUrl, UploadTerms, UrlService } from "@tierkeep/schema/services/urls";
import type { Catalog } from "../catalog/catalog.ts";
import type { Clock } from "../engine/clock.ts";
import type { EngineKeys } from "./key-service.ts";

/** The single operation that a signed URL permits, and its principal. */
export interface Permission {
  readonly principal: Principal;
  /** ms since the epoch. */
  readonly expiresAt: number;
  /** Aborts when the API key of its creator is revoked. Null: the creator used no API key. */
  readonly revoked: AbortSignal | null;
  readonly key: ArtifactKey;
  /** Null: the URL is for reading. */
  readonly upload: UploadTerms | null;
}

const MAX_SECONDS = 3600;
const MAX_LENGTH = 8192;

/** The signed content. Names are short because they are part of a URL. */
interface Signed {
  readonly key: ArtifactKey;
  readonly actor: string;
  readonly exp: number;
  readonly put: Omit<UploadTerms, keyof ArtifactKey> | null;
}

export interface SignedUrlParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly keys: EngineKeys;
  /** The store's own key, so that URLs of one store are invalid at another. */
  readonly storeKey: Uint8Array;
  /** As in Services. */
  readonly basePath: string;
}

/** URLs that carry a permission, signed with a key derived from the store's key. They are not stored. */
export class EngineUrls implements UrlService {
  readonly #parts: SignedUrlParts;
  readonly #signingKey: Buffer;

  constructor(parts: SignedUrlParts) {
    this.#parts = parts;
    this.#signingKey = createHmac("sha256", parts.storeKey).update("tierkeep signed URLs, format 1").digest();
  }

  async download(
    { actor }: Principal,
    { tenantId, workflowId, artifactId }: ArtifactKey,
    expiresInSeconds: number,
  ): Promise<SignedUrl | null> {
    const exp = this.#expiry(expiresInSeconds);
    const key = { tenantId, workflowId, artifactId };
    if ((await this.#parts.catalog.artifact(key)) === null) return null;
    return this.#sign({ key, actor, exp, put: null });
  }

  async upload({ actor }: Principal, terms: UploadTerms, expiresInSeconds: number): Promise<SignedUrl> {
    const { tenantId, workflowId, artifactId, ...put } = terms;
    const exp = this.#expiry(expiresInSeconds);
    return this.#sign({ key: { tenantId, workflowId, artifactId }, actor, exp, put });
  }

  /** Returns the permission in the query parameter `signed`. Null if it is invalid or expired. */
  async open(text: string): Promise<Permission | null> {
    const [payload = "", signature = "", ...more] = text.length > MAX_LENGTH ? [] : text.split(".");
    const [expected, given] = [Buffer.from(this.#signature(payload)), Buffer.from(signature)];
    if (more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const { key, actor, exp, put } = JSON.parse(Buffer.from(payload, "base64url").toString()) as Signed;
    if (exp <= this.#parts.clock.now()) return null;
    const revoked = actor.startsWith("key:") ? await this.#parts.keys.revocationOf(actor.slice(4)) : null;
    if (revoked?.aborted) return null;
    return {
      principal: { actor, role: put === null ? "READER" : "WRITER", tenants: [key.tenantId] },
      expiresAt: exp,
      revoked,
      key,
      upload: put && { ...key, ...put },
    };
  }

  #sign(signed: Signed): SignedUrl {
    const payload = Buffer.from(JSON.stringify(signed)).toString("base64url");
    return {
      url: `${artifactPath(this.#parts.basePath, signed.key)}?signed=${payload}.${this.#signature(payload)}`,
      expiresAt: signed.exp,
    };
  }

  #signature(payload: string): string {
    return createHmac("sha256", this.#signingKey).update(payload).digest("base64url");
  }

  #expiry(seconds: number): number {
    if (seconds >= 1 && seconds <= MAX_SECONDS) return this.#parts.clock.now() + seconds * 1000;
    throw new Refused("BAD_USER_INPUT", `expiresInSeconds must be 1 to ${MAX_SECONDS}.`, {
      argument: "expiresInSeconds",
    });
  }
}
