import { expect, it } from "vitest";
import { startFacts } from "./start-facts.ts";

const auth = {
  jwtSecret: null,
  previousJwtSecret: null,
  jwksUrl: null,
  apiKeys: false,
  issuer: null,
  audience: null,
};
const retention = { hotDays: 7, warmDays: 30, coldDays: 90 };
const place = { root: "/srv/artifacts", url: "http://127.0.0.1:4000/graphql" };

it("startFacts reports the defaults: no schedule and no authentication", () => {
  const config = { lifecycleSchedule: null, auth: null, graphiql: true };
  expect(startFacts({ config, retention, nextRunAt: null, ...place })).toEqual([
    "policy: artifacts leave hot after 7 d, leave warm after 30 d, and are purged from cold after 90 d",
    "no schedule: lifecycle runs do not start automatically; set LIFECYCLE_SCHEDULE",
    'no authentication: every caller is the admin "local", and only this machine can connect',
    "tiers: hot, warm and cold are folders of one file system, in /srv/artifacts",
    "GraphiQL: http://127.0.0.1:4000/",
  ]);
});

it("startFacts reports the schedule, the next run and the tokens, and no GraphiQL if it is off", () => {
  const config = {
    lifecycleSchedule: "0 3 * * *",
    auth: { ...auth, jwtSecret: "0123456789abcdef0123456789abcdef", apiKeys: true },
    graphiql: false,
  };
  const never = { hotDays: null, warmDays: null, coldDays: null };
  expect(startFacts({ config, retention: never, nextRunAt: Date.UTC(2027, 0, 1, 3), ...place })).toEqual([
    "policy: artifacts never leave hot, never leave warm, and are never purged",
    'schedule: lifecycle runs start by "0 3 * * *"; next run at 2027-01-01 03:00:00Z',
    "authentication: callers need a token (a JSON Web Token or an API key)",
    "tiers: hot, warm and cold are folders of one file system, in /srv/artifacts",
  ]);
});
