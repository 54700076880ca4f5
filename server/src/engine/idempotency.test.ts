import { expect, it } from "vitest";
import { askerOf } from "./idempotency.ts";

it("askerOf gives different principals different texts, also where one is called like the other is written", () => {
  const some = { actor: "ada", role: "WRITER", tenants: ["acme"] } as const;
  const all = { actor: askerOf(some), role: "ADMIN", tenants: null } as const;
  const odd = { actor: askerOf(all), role: "ADMIN", tenants: null } as const;
  expect(new Set([some, all, odd].map(askerOf)).size).toBe(3);
  expect(askerOf({ actor: "ada", role: "ADMIN", tenants: null })).toBe("ada");
});
