import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { isPrepared, prepareOperation } from "@tierkeep/schema/graphql/execution/operation";
import { schema } from "@tierkeep/schema/graphql/index";
import { queryCost } from "@tierkeep/schema/graphql/limits/query-cost";
import type { Services } from "@tierkeep/schema/services/services";
import { type GraphQLField, parse } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessStore, fill, MINE, type Names } from "../../../testing/http/access-store.ts";
import type { HandlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import {
  type LargestField,
  type LargestValues,
  largestField,
} from "../../../testing/http/largest-request.ts";

const ADMIN: Principal = { actor: "root", role: "ADMIN", tenants: null };
const KiB = 1024;
/** Smaller than a server's limits, so that a small store exceeds them. */
const LIMITS = { ...DEFAULT_LIMITS.document, maxResponseBytes: 2048 * KiB, maxScannedRows: 1_000 };
const ROWS = 300;
/** Share of a response that is not counted: its envelope, and errors about single fields. */
const UNCOUNTED = 0.1;

let world: HandlerUnderTest;
let names: Names;
let values: LargestValues;
/** Rows that the services have scanned since the last test started. */
let scanned = 0;
let largestScan = 0;

beforeAll(async () => {
  world = await accessStore({
    limits: { document: LIMITS },
    replace: (services) => ({
      artifacts: counting(services.artifacts, 4),
      events: counting(services.events, 4),
    }),
  });
  names = await fill(world, MINE);
  const metadata = { list: Array(32_000).fill(1) };
  for (let index = 0; index < ROWS; index += 1) {
    await world.services.artifacts.write(
      ADMIN,
      { ...keyOf(index), tier: "HOT", contentType: null, metadata },
      Buffer.from("\0".repeat(1000)),
    );
  }
  const ids = [
    names.artifact,
    names.tenant,
    names.workflow,
    names.event,
    names.lifecycleJob,
    names.verifyJob,
  ];
  values = {
    ...keyOf(0),
    first: 500,
    // Undefined: arguments that conflict with `first`, or that reduce the result.
    last: undefined,
    after: undefined,
    before: undefined,
    jobId: undefined,
    asOf: undefined,
    since: undefined,
    until: undefined,
    tier: undefined,
    ifChecksum: undefined,
    checksum: undefined,
    dryRun: undefined,
    artifactIdPrefix: "artifact",
    olderThanDays: 0,
    metadata,
    id: names.lifecycleJob,
    ids: Array.from({ length: 500 }, (_, index) => ids[index % ids.length]),
    keys: Array.from({ length: 500 }, (_, index) => keyOf(index % ROWS)),
    direction: "ASC",
    orderBy: { field: "SIZE", direction: "DESC" },
    expiresInSeconds: 3600,
    contentType: "text/plain",
    ifAbsent: false,
    maxBytes: 1,
  };
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

function keyOf(index: number) {
  return { tenantId: MINE, workflowId: "w", artifactId: `artifact ${index}` };
}

/**
 * Wraps a service, and counts the rows that its `list` scans. @param at index of the scan terms among the
 * arguments of `list`
 */
function counting<S extends Services["artifacts"] | Services["events"]>(service: S, at: number): S {
  return new Proxy(service, {
    get(target, name) {
      const method = target[name as keyof S];
      if (typeof method !== "function") return method;
      if (name !== "list") return method.bind(target);
      return (...args: unknown[]) => {
        const terms = args[at] as { scanned: (rows: number) => void };
        const counted = {
          ...terms,
          scanned: (rows: number) => {
            scanned += rows;
            largestScan = Math.max(largestScan, rows);
            terms.scanned(rows);
          },
        };
        return (method as (...given: unknown[]) => unknown).apply(target, args.with(at, counted));
      };
    },
  });
}

/** Returns a request with as many copies of a root field as the limits allow. */
function requestFor({ text, variables }: LargestField) {
  const declared = Object.entries(variables).map(([name, { type }]) => `$${name}: ${type}`);
  const head = declared.length === 0 ? "query" : `query (${declared.join(", ")})`;
  const given = Object.fromEntries(Object.entries(variables).map(([name, { value }]) => [name, value]));
  const queryOf = (count: number) =>
    `${head} { ${Array.from({ length: count }, (_, index) => `a${index}: ${text}`).join(" ")} }`;
  const aliases = text.split(/\w+: /).length;
  const prepared = prepareOperation({ schema, document: parse(queryOf(1)), variableValues: given });
  if (!isPrepared(prepared)) throw new Error(prepared.map(({ message }) => message).join("; "));
  const cost = queryCost(prepared) ?? 1;
  const tokens = text.split(/\W+/).length * 1.5;
  const count = Math.max(
    1,
    Math.min(LIMITS.maxAliases / aliases, LIMITS.maxCost / cost, LIMITS.maxTokens / tokens),
  );
  return { query: queryOf(Math.floor(count)), variables: given };
}

const queries = Object.values(schema.getQueryType()?.getFields() ?? {});

describe("the largest request of a READER", () => {
  it.each(queries.map((field) => [field.name, field] as const))("for %s is limited", async (_name, field) => {
    scanned = 0;
    largestScan = 0;
    const { query, variables } = requestFor(
      largestField(schema, field as GraphQLField<unknown, unknown>, values),
    );
    const response = await world.graphql(query, variables, { authorization: "READER" });
    const text = await response.text();
    const { errors = [] } = JSON.parse(text) as { errors?: { extensions: { code: string } }[] };
    const codes = new Set(errors.map(({ extensions }) => extensions.code));
    for (const code of codes) expect(["QUERY_TOO_COMPLEX", "FORBIDDEN"]).toContain(code);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LIMITS.maxResponseBytes * (1 + UNCOUNTED));
    // MAX_SCANNED_ROWS does not limit the first list and the first count of a request. Each scans at most
    // `largestScan` rows.
    expect(scanned).toBeLessThanOrEqual(LIMITS.maxScannedRows + 2 * largestScan);
  });

  it("for a mutation is FORBIDDEN before anything is read", async () => {
    for (const { name } of Object.values(schema.getMutationType()?.getFields() ?? {})) {
      const field = schema.getMutationType()?.getFields()[name];
      expect(field?.extensions.needs, name).not.toBe("read");
    }
  });
});

/** Every path of the server with the largest response that a READER gets. Null: the artifact's own bytes. */
const ROUTES: Readonly<Record<string, number | null>> = {
  "/graphql": LIMITS.maxResponseBytes,
  "/artifacts/tenant-1/w/artifact%200": null,
  "/healthz": KiB,
  "/readyz": KiB,
  "/metrics": KiB,
  "/": KiB,
  "/nothing": KiB,
};

describe("a route", () => {
  it.each(Object.entries(ROUTES))("%s responds to every method within its limit", async (path, most) => {
    for (const method of ["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE"]) {
      const body = method === "POST" || method === "PUT" ? "x" : null;
      const response = await world.request(path, { method, body, headers: { authorization: "READER" } });
      const { byteLength } = await response.arrayBuffer();
      expect(byteLength, method).toBeLessThanOrEqual(most ?? 1000 + KiB);
    }
  });

  it("of GraphQL rejects a long query by GET with QUERY_TOO_COMPLEX", async () => {
    const query = `{ ${Array.from({ length: 40 }, (_, index) => `a${index}: artifacts(first: 500) { nodes { metadata } }`).join(" ")} }`;
    const path = `/graphql?query=${encodeURIComponent(query)}`;
    const response = await world.request(path, { headers: { authorization: "READER" } });
    expect(await response.text()).toContain("QUERY_TOO_COMPLEX");
  });
});
