import { type ErrorCode, REFUSALS } from "../../domain/refusals.ts";
import { builder } from "./builder.ts";
import { described } from "./described-enum.ts";

const descriptions = Object.entries(REFUSALS).map(([code, { means, raised }]) => [
  code,
  raised ? sentence(means) : `${sentence(means)} Reserved: this version never returns it.`,
]);

export const ErrorCodeType = builder.enumType("ErrorCode", {
  description:
    "Why a request was rejected or failed. Every entry of `errors` has a code in `extensions.code`, and a `requestId`. `argument`, `tier`, `checksum`, `jobId`, `retryAfterSeconds` and `outcome` are added where they apply.",
  values: described<ErrorCode>(Object.fromEntries(descriptions) as Record<ErrorCode, string>),
});

function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;
}
