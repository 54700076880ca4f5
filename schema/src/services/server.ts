/** Facts about the server. They are the same for every caller. */
export interface ServerFacts {
  readonly version: string;
  /** True if callers must send a token. */
  readonly authentication: boolean;
  /** The cron expression of lifecycle runs; null if there is no schedule. */
  readonly schedule: string | null;
  /** Returns when the schedule starts the next run, ms since the epoch; null if there is no schedule. */
  readonly nextRunAt: () => number | null;
  /** True if the root URL serves GraphiQL. */
  readonly graphiql: boolean;
}
