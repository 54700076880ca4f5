import type { ArtifactKey } from "../domain/keys.ts";
import type { Principal } from "../domain/principal.ts";
import type { Tier } from "../domain/tiers.ts";

/** A URL that needs no credentials: it carries a permission for one method on one key, for a while. */
export interface SignedUrl {
  /** Resolves against the URL of the API's endpoint. */
  readonly url: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

/** What an upload to a signed URL will be, whatever its sender says. */
export interface UploadTerms extends ArtifactKey {
  readonly tier: Tier;
  /** Null: what the sender says. */
  readonly contentType: string | null;
  readonly checksum: string | null;
  readonly ifAbsent: boolean;
  readonly ifChecksum: string | null;
  /** Null: as much as the server takes. */
  readonly maxBytes: number | null;
}

/** Identifiers, types and checksums are checked already. What is done with a URL is done by the principal who asked for it. */
export interface UrlService {
  /** Null: there is no such artifact. @throws Refused BAD_USER_INPUT for a lifetime out of bounds */
  download(principal: Principal, key: ArtifactKey, expiresInSeconds: number): Promise<SignedUrl | null>;
  /** @throws Refused FORBIDDEN, BAD_USER_INPUT */
  upload(principal: Principal, terms: UploadTerms, expiresInSeconds: number): Promise<SignedUrl>;
}
