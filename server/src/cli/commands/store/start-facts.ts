import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { Config } from "../../../config/config.ts";
import { formatDays, formatInstant } from "../../output/quantity.ts";

export const NO_SCHEDULE = "no schedule: lifecycle runs do not start automatically; set LIFECYCLE_SCHEDULE";

export const TIERS = "tiers: hot, warm and cold are folders of one file system";

export interface StartFacts {
  readonly config: Pick<Config, "lifecycleSchedule" | "auth" | "graphiql">;
  /** The policy in force. */
  readonly retention: RetentionPolicy;
  /** The store's folder. */
  readonly root: string;
  /** The GraphQL endpoint. */
  readonly url: string;
  /** ms since the epoch; null: no schedule. */
  readonly nextRunAt: number | null;
}

/** Returns what a server logs at its start, one line each: policy, schedule, authentication, tiers, GraphiQL. */
export function startFacts({ config, retention, root, url, nextRunAt }: StartFacts): readonly string[] {
  return [
    `policy: ${shownPolicy(retention)}`,
    shownSchedule(config.lifecycleSchedule, nextRunAt === null ? null : new Date(nextRunAt).toISOString()),
    config.auth === null
      ? 'no authentication: every caller is the admin "local", and only this machine can connect'
      : `authentication: callers need a token (${tokensOf(config.auth)})`,
    `${TIERS}, in ${root}`,
    ...(config.graphiql ? [`GraphiQL: ${new URL("/", url).href}`] : []),
  ];
}

/** Returns a policy in words, for example "artifacts leave hot after 7 d, …, and are purged from cold after 90 d". */
export function shownPolicy({ hotDays, warmDays, coldDays }: RetentionPolicy): string {
  const leaves = (tier: string, days: number | null) =>
    days === null ? `never leave ${tier}` : `leave ${tier} after ${formatDays(days)}`;
  const purged =
    coldDays === null ? "are never purged" : `are purged from cold after ${formatDays(coldDays)}`;
  return `artifacts ${leaves("hot", hotDays)}, ${leaves("warm", warmDays)}, and ${purged}`;
}

/** Returns the lifecycle schedule in words. @param nextRunAt ISO 8601; null: unknown */
export function shownSchedule(schedule: string | null, nextRunAt: string | null): string {
  if (schedule === null) return NO_SCHEDULE;
  const next = nextRunAt === null ? "" : `; next run at ${formatInstant(nextRunAt)}`;
  return `schedule: lifecycle runs start by "${schedule}"${next}`;
}

function tokensOf({ jwtSecret, jwksUrl, apiKeys }: NonNullable<Config["auth"]>): string {
  const kinds = [
    ...(jwtSecret === null && jwksUrl === null ? [] : ["a JSON Web Token"]),
    ...(apiKeys ? ["an API key"] : []),
  ];
  return kinds.join(" or ");
}
