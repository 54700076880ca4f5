import type { ArtifactService } from "./artifacts.ts";
import type { EventService } from "./events.ts";
import type { JobService } from "./jobs.ts";
import type { KeyService } from "./keys.ts";
import type { QuarantineService } from "./quarantine.ts";
import type { ServerFacts } from "./server.ts";
import type { TenantService } from "./tenants.ts";
import type { UrlService } from "./urls.ts";

/**
 * Everything that resolvers and HTTP handlers may call. Services enforce the rules; resolvers contain none.
 */
export interface Services {
  readonly artifacts: ArtifactService;
  readonly tenants: TenantService;
  readonly events: EventService;
  readonly jobs: JobService;
  readonly keys: KeyService;
  readonly quarantine: QuarantineService;
  readonly urls: UrlService;
  /** The path of PUBLIC_URL without a trailing slash. The path of every URL of this server starts with it. "" for none. */
  readonly basePath: string;
  readonly limits: {
    /**
     * Maximum size in bytes of content that a response contains as text or base64, or that a mutation
     * accepts.
     */
    readonly maxInlineBytes: number;
    /** Maximum size of an artifact in bytes; null: unlimited. */
    readonly maxArtifactBytes: number | null;
  };
  readonly server: ServerFacts;
  /** The engine's clock, ms since the epoch. */
  readonly now: () => number;
}
