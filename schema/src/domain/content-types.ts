import { Refused } from "./refusals.ts";

export const MAX_CONTENT_TYPE_LENGTH = 255;

// RFC 9110, sections 5.6.6 and 8.3.1: a parameter may be empty, as in "text/plain;". Only ASCII, so that the
// value can be returned unchanged in a header.
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t \\x21-\\x7e])*"';
const MEDIA_TYPE = new RegExp(
  `^${TOKEN}/${TOKEN}(?:[\\t ]*;(?:[\\t ]*${TOKEN}=(?:${TOKEN}|${QUOTED}))?)*[\\t ]*$`,
);

/** Returns `value` if it is a media type, with or without parameters. @throws Refused BAD_USER_INPUT */
export function requireContentType(value: string, argument: string): string {
  if (value.length <= MAX_CONTENT_TYPE_LENGTH && MEDIA_TYPE.test(value)) return value;
  throw new Refused(
    "BAD_USER_INPUT",
    `${argument} must be a media type of at most ${MAX_CONTENT_TYPE_LENGTH} characters, such as text/plain; charset=utf-8.`,
    { argument },
  );
}
