import { expect, it } from "vitest";
import { requesterOf } from "./idempotency.ts";

it("returns different requesters for different principals, even if one name looks like the JSON of another", () => {
  const some = { actor: "ada", role: "WRITER", tenants: ["acme"] } as const;
  const all = { actor: requesterOf(some), role: "ADMIN", tenants: null } as const;
  const odd = { actor: requesterOf(all), role: "ADMIN", tenants: null } as const;
  expect(new Set([some, all, odd].map(requesterOf)).size).toBe(3);
  expect(requesterOf({ actor: "ada", role: "ADMIN", tenants: null })).toBe("ada");
});
