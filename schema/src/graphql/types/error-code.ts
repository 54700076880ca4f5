import { type ErrorCode, REFUSALS } from "../../domain/refusals.ts";
import { builder } from "./builder.ts";
import { described } from "./described-enum.ts";

const descriptions = Object.entries(REFUSALS).map(([code, { means, raised }]) => [
  code,
  raised ? sentence(means) : `${sentence(means)} Reserved: nothing in this version raises it.`,
]);

export const ErrorCodeType = builder.enumType("ErrorCode", {
  description:
    "Why something was refused or failed. Every entry of `errors` has one as `extensions.code`, beside `requestId` and, where they apply, `argument`, `tier`, `checksum`, `jobId`, `retryAfterSeconds` and `outcome`.",
  values: described<ErrorCode>(Object.fromEntries(descriptions) as Record<ErrorCode, string>),
});

function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;
}
