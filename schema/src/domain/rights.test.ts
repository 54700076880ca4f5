import { describe, expect, it } from "vitest";
import { type Principal, ROLES, type Role } from "./principal.ts";
import { Refused } from "./refusals.ts";
import {
  RIGHTS,
  type RightName,
  requireRight,
  requireRightOverAll,
  requireRightWithin,
  seesTenant,
  seesTenants,
} from "./rights.ts";

const NAMES = Object.keys(RIGHTS) as RightName[];

function principal(role: Role, tenants: readonly string[] | null = ["acme", "beta"]): Principal {
  return { actor: "ann", role, tenants };
}

function codeOf(run: () => void): string | null {
  try {
    run();
    return null;
  } catch (error) {
    return error instanceof Refused ? error.code : "not a refusal";
  }
}

describe("the right to read", () => {
  it("depends on tenants, not on the role", () => {
    for (const role of ROLES) {
      expect(seesTenant(principal(role), "acme")).toBe(true);
      expect(seesTenant(principal(role), "other")).toBe(false);
      expect(seesTenant(principal(role, null), "other")).toBe(true);
      expect(seesTenant(principal(role, []), "acme")).toBe(false);
    }
  });

  it("includes objects without a tenant only for principals with all tenants", () => {
    expect(seesTenant(principal("OPERATOR"), null)).toBe(false);
    expect(seesTenant(principal("READER", null), null)).toBe(true);
  });

  it("includes objects of several tenants only for principals with each of them", () => {
    expect(seesTenants(principal("READER"), ["beta", "acme"])).toBe(true);
    expect(seesTenants(principal("READER"), ["acme", "other"])).toBe(false);
    expect(seesTenants(principal("READER"), null)).toBe(false);
    expect(seesTenants(principal("READER", null), null)).toBe(true);
  });

  it("compares complete names, case-sensitively", () => {
    expect(seesTenant(principal("READER"), "acm")).toBe(false);
    expect(seesTenant(principal("READER"), "Acme")).toBe(false);
  });
});

describe("the right to change", () => {
  it.each(NAMES)("%s requires its role or a higher one", (name) => {
    const least = ROLES.indexOf(RIGHTS[name].role);
    for (const [rank, role] of ROLES.entries()) {
      const one = principal(role, role === "ADMIN" ? null : ["acme"]);
      const expected = rank >= least ? null : "FORBIDDEN";
      expect(codeOf(() => requireRight(one, name))).toBe(expected);
      expect(codeOf(() => requireRightWithin(one, name, "acme", "tenantId"))).toBe(expected);
    }
  });

  it("as ADMIN requires all tenants", () => {
    expect(codeOf(() => requireRight(principal("ADMIN"), "reindex"))).toBe("FORBIDDEN");
  });

  it("within a tenant requires that tenant", () => {
    const run = () => requireRightWithin(principal("OPERATOR"), "purge", "other", "input.tenantId");
    expect(run).toThrow('You may not purge artifacts for the tenant "other"');
    expect(codeOf(run)).toBe("FORBIDDEN");
  });

  it("over all tenants requires ADMIN with all tenants", () => {
    const over = (one: Principal) => codeOf(() => requireRightOverAll(one, "runLifecycle", "tenantId"));
    expect(over(principal("ADMIN", null))).toBeNull();
    expect(over(principal("OPERATOR", null))).toBe("FORBIDDEN");
    expect(over(principal("OPERATOR"))).toBe("FORBIDDEN");
    expect(over(principal("ADMIN"))).toBe("FORBIDDEN");
  });
});
