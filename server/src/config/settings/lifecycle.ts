import { boolean, days, type Setting, text } from "../setting.ts";

export const LIFECYCLE_SETTINGS = {
  HOT_RETENTION_DAYS: {
    belongsTo: "store",
    shownDefault: "7",
    default: 7,
    accepts: 'days from 0 to 1000000, fractions allowed, also as 7d, 12h or 2w, or "never"',
    description: "age in days after which an artifact moves from hot to warm",
    read: days,
  },
  WARM_RETENTION_DAYS: {
    belongsTo: "store",
    shownDefault: "30",
    default: 30,
    accepts: 'more days than HOT_RETENTION_DAYS, fractions allowed, also as 7d, 12h or 2w, or "never"',
    description: "age in days after which an artifact moves from warm to cold",
    read: days,
  },
  COLD_RETENTION_DAYS: {
    belongsTo: "store",
    shownDefault: "90",
    default: 90,
    accepts: 'more days than WARM_RETENTION_DAYS, fractions allowed, also as 7d, 12h or 2w, or "never"',
    description: "age in days after which an artifact is purged from cold",
    read: days,
  },
  LIFECYCLE_SCHEDULE: {
    shownDefault: "none",
    default: null,
    accepts: 'a cron expression such as "0 3 * * *", in the server\'s time zone',
    description: "when the server starts live lifecycle runs; none: only on request",
    read: text(/^.+$/s, ([value]) => value as string | null),
  },
  TIERKEEP_ALLOW_AS_OF: {
    shownDefault: "false",
    default: false,
    accepts: "true or false",
    description: "accept live lifecycle runs with `asOf`, the instant for which ages are computed",
    read: boolean,
  },
} as const satisfies Record<string, Setting<unknown>>;
