import type { ArtifactService } from "./artifacts.ts";
import type { EventService } from "./events.ts";
import type { JobService } from "./jobs.ts";
import type { KeyService } from "./keys.ts";
import type { QuarantineService } from "./quarantine.ts";
import type { ServerFacts } from "./server.ts";
import type { TenantService } from "./tenants.ts";
import type { UrlService } from "./urls.ts";

/** Everything that resolvers and HTTP handlers may call. Rules live behind these, never in a resolver. */
export interface Services {
  readonly artifacts: ArtifactService;
  readonly tenants: TenantService;
  readonly events: EventService;
  readonly jobs: JobService;
  readonly keys: KeyService;
  readonly quarantine: QuarantineService;
  readonly urls: UrlService;
  /** Facts that the API needs in order to answer. */
  /** The path of PUBLIC_URL without a slash at its end, which every URL of this server begins with; "" for none. */
  readonly basePath: string;
  readonly limits: {
    /** Largest content that is answered as text or base64, or taken in a mutation. */
    readonly maxInlineBytes: number;
    /** Null: none. */
    readonly maxArtifactBytes: number | null;
  };
  readonly server: ServerFacts;
  /** The engine's clock, ms since the epoch. */
  readonly now: () => number;
}
