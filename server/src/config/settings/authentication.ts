import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import type { z } from "zod";
import { boolean, countOrNone, keySetUrl, type Setting, sharedSecret, text } from "../setting.ts";

export const AUTHENTICATION_SETTINGS = {
  AUTH_JWT_SECRET: {
    shownDefault: "–",
    default: null,
    accepts: "a secret of at least 32 bytes",
    description: "require a token and accept JWTs that are signed with this secret (HS256)",
    secret: true,
    read: sharedSecret,
  },
  AUTH_JWT_SECRET_PREVIOUS: {
    shownDefault: "–",
    default: null,
    accepts: "a secret of at least 32 bytes",
    description:
      "accept JWTs that are signed with this secret as well: the previous AUTH_JWT_SECRET, during a rotation",
    secret: true,
    read: sharedSecret,
  },
  AUTH_JWKS_URL: {
    shownDefault: "–",
    default: null,
    accepts: "an https:// URL, an http:// URL of this machine, or the path of a file",
    description:
      "require a token and accept JWTs that are signed by a key of this JSON Web Key Set (RS256, ES256)",
    read: keySetUrl,
  },
  AUTH_API_KEYS: {
    shownDefault: "–",
    default: null,
    accepts: "true or false",
    description:
      "require a token and accept API keys (`tierkeep keys`). When unset, API keys are accepted in addition to JWTs, but do not by themselves require authentication",
    read: boolean as z.ZodType<boolean | null, string>,
  },
  AUTH_ISSUER: {
    shownDefault: "–",
    default: null,
    accepts: "text",
    description: "`iss` claim that a JWT must have",
    read: text(/^.+$/s, ([value]) => value as string | null),
  },
  AUTH_AUDIENCE: {
    shownDefault: "–",
    default: null,
    accepts: "text",
    description: "`aud` claim that a JWT must have",
    read: text(/^.+$/s, ([value]) => value as string | null),
  },
  RATE_LIMIT_FAILED_AUTH: {
    shownDefault: "600",
    default: DEFAULT_LIMITS.usage.failedAttemptsPerMinute,
    accepts: 'a number from 1 to 1000000, or "none"',
    description:
      "failed authentication attempts per minute from one address; further attempts are RATE_LIMITED without a check",
    read: countOrNone(1, 1_000_000),
  },
} as const satisfies Record<string, Setting<unknown>>;
