import type { Principal } from "@tierkeep/schema/domain/principal";
import { createContext } from "@tierkeep/schema/graphql/execution/context";
import { schema } from "@tierkeep/schema/graphql/index";
import { UNCHARGED } from "@tierkeep/schema/services/charge";
import type { Services } from "@tierkeep/schema/services/services";
import { execute, parse } from "graphql";
import { afterAll, beforeAll, expect, it } from "vitest";
import { countStatements, type StatementCount } from "../../../testing/sqlite/statement-count.ts";
import { servicesOf } from "../../../testing/stores/engine-services.ts";
import { EngineStore } from "../../../testing/stores/engine-store.ts";
import { guarded } from "../../access/guard.ts";

const TEST_ADMIN: Principal = { actor: "admin", role: "ADMIN", tenants: null };

let statements: StatementCount;
let store: EngineStore;
let services: Services;

beforeAll(async () => {
  statements = countStatements();
  store = await EngineStore.open();
  services = guarded(servicesOf(store).services);
  const names = Array.from({ length: 120 }, (_, index) => String(index));
  await Promise.all(
    names.map((name) =>
      store.write(
        {
          tenantId: `tenant ${Number(name) % 40}`,
          workflowId: `workflow ${Number(name) % 60}`,
          artifactId: name,
        },
        Buffer.from(name),
      ),
    ),
  );
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  statements.stop();
});

/** Returns the number of SQLite statements of a query, and number of rows in its first list. */
async function costOf(
  query: string,
  principal = TEST_ADMIN,
): Promise<{ readonly count: number; readonly rows: number }> {
  statements.reset();
  const result = await execute({
    schema,
    document: parse(query),
    contextValue: createContext({ services, principal, requestId: "test", charge: UNCHARGED }),
  });
  expect(result.errors).toBeUndefined();
  const [connection] = Object.values(result.data ?? {}) as { nodes: unknown[] }[];
  return { count: statements.count(), rows: connection?.nodes.length ?? 0 };
}

const PAGE = (first: number) => `{
  artifacts(first: ${first}) {
    nodes {
      artifactId tier nextTransition { action at }
      tenant { tenantId tierStats { tier artifactCount } retentionPolicy { hotDays } }
      workflow { workflowId tenant { tenantId } tierStats { tier totalBytes } }
    }
  }
}`;

it("a page of 100 artifacts with tenant, workflow and their stats takes at most 12 statements", async () => {
  const { count, rows } = await costOf(PAGE(100));
  expect(rows).toBe(100);
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThanOrEqual(12);
});

it("a page of 10 artifacts takes as many statements as a page of 100", async () => {
  expect((await costOf(PAGE(10))).count).toBe((await costOf(PAGE(100))).count);
});

it("a page of 100 events with their current artifacts takes at most 8 statements", async () => {
  const { count, rows } = await costOf(
    "{ lifecycleEvents(first: 100) { nodes { type artifact { tier } } } }",
  );
  expect(rows).toBe(100);
  expect(count).toBeLessThanOrEqual(8);
});

const ofTenants = (count: number): Principal => ({
  actor: "admin",
  role: "READER",
  tenants: Array.from({ length: count }, (_, index) => `tenant ${index}`),
});

it("a page takes no more statements for a principal with one tenant than for one with all tenants", async () => {
  const { count, rows } = await costOf(PAGE(100), ofTenants(1));
  expect(rows).toBe(3);
  expect(count).toBeLessThanOrEqual((await costOf(PAGE(100))).count);
});

it("for a principal with many tenants, a page takes at most two more statements per tenant on the page", async () => {
  const { count, rows } = await costOf(PAGE(6), ofTenants(40));
  expect(rows).toBe(6);
  expect(count - (await costOf(PAGE(6))).count).toBeLessThanOrEqual(2 * 3);
});
