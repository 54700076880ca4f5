/** What a server says about itself. It is the same for every caller. */
export interface ServerFacts {
  readonly version: string;
  /** Callers must show a token. */
  readonly authentication: boolean;
  /** The cron expression of lifecycle runs; null: no run starts by itself. */
  readonly schedule: string | null;
  /** When the schedule starts the next run, ms since the epoch; null: never. */
  readonly nextRunAt: () => number | null;
  /** GraphiQL is served at the root. */
  readonly graphiql: boolean;
}
