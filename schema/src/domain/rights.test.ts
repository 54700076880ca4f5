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

describe("seeing", () => {
  it("goes by tenants, whatever the role", () => {
    for (const role of ROLES) {
      expect(seesTenant(principal(role), "acme")).toBe(true);
      expect(seesTenant(principal(role), "other")).toBe(false);
      expect(seesTenant(principal(role, null), "other")).toBe(true);
      expect(seesTenant(principal(role, []), "acme")).toBe(false);
    }
  });

  it("what belongs to no tenant is for those who see all", () => {
    expect(seesTenant(principal("OPERATOR"), null)).toBe(false);
    expect(seesTenant(principal("READER", null), null)).toBe(true);
  });

  it("what spans several tenants is for those who see each of them", () => {
    expect(seesTenants(principal("READER"), ["beta", "acme"])).toBe(true);
    expect(seesTenants(principal("READER"), ["acme", "other"])).toBe(false);
    expect(seesTenants(principal("READER"), null)).toBe(false);
    expect(seesTenants(principal("READER", null), null)).toBe(true);
  });

  it("does not take the beginning of a name, or another case of it, for the name", () => {
    expect(seesTenant(principal("READER"), "acm")).toBe(false);
    expect(seesTenant(principal("READER"), "Acme")).toBe(false);
  });
});

describe("changing", () => {
  it.each(NAMES)("%s takes its role or one that includes it", (name) => {
    const least = ROLES.indexOf(RIGHTS[name].role);
    for (const [rank, role] of ROLES.entries()) {
      const one = principal(role, role === "ADMIN" ? null : ["acme"]);
      const expected = rank >= least ? null : "FORBIDDEN";
      expect(codeOf(() => requireRight(one, name))).toBe(expected);
      expect(codeOf(() => requireRightWithin(one, name, "acme", "tenantId"))).toBe(expected);
    }
  });

  it("as ADMIN takes all tenants", () => {
    expect(codeOf(() => requireRight(principal("ADMIN"), "reindex"))).toBe("FORBIDDEN");
  });

  it("within a tenant takes that tenant, too", () => {
    const run = () => requireRightWithin(principal("OPERATOR"), "purge", "other", "input.tenantId");
    expect(run).toThrow('You may not purge artifacts for the tenant "other"');
    expect(codeOf(run)).toBe("FORBIDDEN");
  });

  it("over all tenants is for an admin who has all of them", () => {
    const over = (one: Principal) => codeOf(() => requireRightOverAll(one, "runLifecycle", "tenantId"));
    expect(over(principal("ADMIN", null))).toBeNull();
    expect(over(principal("OPERATOR", null))).toBe("FORBIDDEN");
    expect(over(principal("OPERATOR"))).toBe("FORBIDDEN");
    expect(over(principal("ADMIN"))).toBe("FORBIDDEN");
  });
});
