import type { ArtifactKey } from "../domain/keys.ts";
import type { Principal } from "../domain/principal.ts";
import type { Tier } from "../domain/tiers.ts";

/** A URL that grants one operation on one artifact without credentials, until it expires. */
export interface SignedUrl {
  /** Resolves against the URL of the API's endpoint. */
  readonly url: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

/** Terms of an upload to a signed URL. They override the headers of the upload. */
export interface UploadTerms extends ArtifactKey {
  readonly tier: Tier;
  /** Null: the Content-Type of the upload. */
  readonly contentType: string | null;
  readonly checksum: string | null;
  readonly ifAbsent: boolean;
  readonly ifChecksum: string | null;
  /** Maximum size of the content in bytes; null: the server's limit. */
  readonly maxBytes: number | null;
}

/**
 * Creates signed URLs. Identifiers, types and checksums are already checked. Events record the use of a URL
 * under the principal that requested it.
 */
export interface UrlService {
  /**
   * Returns null if there is no such artifact. @throws Refused BAD_USER_INPUT for a lifetime out of bounds
   */
  download(principal: Principal, key: ArtifactKey, expiresInSeconds: number): Promise<SignedUrl | null>;
  /** @throws Refused FORBIDDEN, BAD_USER_INPUT */
  upload(principal: Principal, terms: UploadTerms, expiresInSeconds: number): Promise<SignedUrl>;
}
