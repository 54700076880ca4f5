import { beforeAll, describe, expect, it } from "vitest";
import { ask, dataOf, daysAfter, forEachOf, newTenant } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

const COUNT = 120;
const many = newTenant("many");
const busy = { tenantId: many, workflowId: "w-000" };
let jobId = "";

interface Page {
  readonly edges: readonly { readonly cursor: string; readonly node: Readonly<Record<string, unknown>> }[];
  readonly nodes: readonly unknown[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly totalCount: number;
}

interface PageArguments {
  readonly first?: number;
  readonly after?: string | null;
  readonly last?: number;
  readonly before?: string | null;
}

interface ListOf {
  readonly name: string;
  /** Number of rows, at least COUNT. */
  readonly total: number;
  /** Selection that identifies a row. */
  readonly node: string;
  /** The query, with PAGE in place of the connection's selection. */
  readonly query: string;
  readonly variables: () => Readonly<Record<string, unknown>>;
}

const page = "first: $first, after: $after, last: $last, before: $before";
const declared = "$first: Int, $after: String, $last: Int, $before: String";

// Each list below has 120 rows or a few more. The root lists contain the rows of all others.
const lists: ListOf[] = [
  {
    name: "artifacts",
    total: 3 * COUNT - 1,
    node: "id",
    query: `query (${declared}) { artifacts(${page}) PAGE }`,
    variables: () => ({}),
  },
  {
    name: "Tenant.artifacts",
    total: 2 * COUNT - 1,
    node: "id",
    query: `query ($tenantId: String!, ${declared}) { tenant(tenantId: $tenantId) { artifacts(${page}) PAGE } }`,
    variables: () => ({ tenantId: many }),
  },
  {
    name: "Workflow.artifacts",
    total: COUNT,
    node: "id",
    query: `query ($tenantId: String!, $workflowId: String!, ${declared}) {
      tenant(tenantId: $tenantId) { workflow(workflowId: $workflowId) { artifacts(${page}) PAGE } } }`,
    variables: () => busy,
  },
  {
    name: "tenants",
    total: COUNT + 1,
    node: "tenantId",
    query: `query (${declared}) { tenants(${page}) PAGE }`,
    variables: () => ({}),
  },
  {
    name: "Tenant.workflows",
    total: COUNT,
    node: "workflowId",
    query: `query ($tenantId: String!, ${declared}) { tenant(tenantId: $tenantId) { workflows(${page}) PAGE } }`,
    variables: () => ({ tenantId: many }),
  },
  {
    name: "TierStats.tenants",
    total: COUNT + 1,
    node: "tenantId",
    query: `query (${declared}) { tierStats { tier tenants(${page}) PAGE } }`,
    variables: () => ({}),
  },
  {
    name: "lifecycleEvents, newest first",
    total: 2 * COUNT - 1,
    node: "id cursor",
    query: `query ($tenantId: String!, ${declared}) {
      lifecycleEvents(where: { tenantId: $tenantId, types: [ARTIFACT_WRITTEN] }, ${page}) PAGE }`,
    variables: () => ({ tenantId: many }),
  },
  {
    name: "lifecycleEvents, oldest first",
    total: 2 * COUNT - 1,
    node: "id cursor",
    query: `query ($tenantId: String!, ${declared}) {
      lifecycleEvents(where: { tenantId: $tenantId, types: [ARTIFACT_WRITTEN] }, direction: ASC, ${page}) PAGE }`,
    variables: () => ({ tenantId: many }),
  },
  {
    name: "lifecycleJobs",
    total: COUNT + 1,
    node: "id startedAt",
    query: `query (${declared}) { lifecycleJobs(${page}) PAGE }`,
    variables: () => ({}),
  },
  {
    name: "jobs",
    total: COUNT + 1,
    node: "id startedAt",
    query: `query (${declared}) { jobs(where: { kinds: [LIFECYCLE] }, ${page}) PAGE }`,
    variables: () => ({}),
  },
  {
    name: "LifecycleJob.items",
    total: 2 * COUNT - 1,
    node: "tenantId workflowId artifactId",
    query: `query ($id: ID!, ${declared}) { lifecycleJob(id: $id) { items(${page}) PAGE } }`,
    variables: () => ({ id: jobId }),
  },
];

const selection = (node: string) =>
  `{ edges { cursor node { ${node} } } nodes { ${node} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }`;

const padded = (index: number) => String(index).padStart(3, "0");

beforeAll(async () => {
  const content = { text: "x" };
  const indexes = Array.from({ length: COUNT }, (_, index) => index);
  await forEachOf(indexes, (index) =>
    shared.tierkeep.writeArtifact({ ...busy, artifactId: `a-${padded(index)}`, content }),
  );
  await forEachOf(indexes.slice(1), (index) =>
    shared.tierkeep.writeArtifact({
      tenantId: many,
      workflowId: `w-${padded(index)}`,
      artifactId: "a",
      content,
    }),
  );
  await forEachOf(indexes, (index) =>
    shared.tierkeep.writeArtifact({
      tenantId: `tenant-${padded(index)}`,
      workflowId: "w",
      artifactId: "a",
      content,
    }),
  );
  await forEachOf(indexes, () => shared.tierkeep.runLifecycle({ dryRun: true, tenantId: "tenant-000" }));
  // This is last because only the items of the latest hundred runs are kept.
  const asOf = daysAfter(new Date().toISOString(), 8);
  const run = await shared.tierkeep.runLifecycle({ dryRun: true, tenantId: many, asOf });
  jobId = run.job.id;
});

/** Finds the single connection in an answer, at any depth. */
function connectionIn(data: unknown): Page {
  let value = data;
  for (;;) {
    if (Array.isArray(value)) value = value.find((entry) => entry.tier === "HOT");
    else if (typeof value === "object" && value !== null) {
      if ("edges" in value) return value as Page;
      value = Object.values(value).find((entry) => typeof entry === "object");
    } else throw new Error(`no connection in ${JSON.stringify(data)}`);
  }
}

async function pageOf(list: ListOf, args: PageArguments): Promise<Page> {
  const query = list.query.replace("PAGE", selection(list.node));
  return connectionIn(await dataOf(shared.server, query, { ...list.variables(), ...args }));
}

async function refusalsOf(list: ListOf, args: PageArguments) {
  const query = list.query.replace("PAGE", selection(list.node));
  const { errors } = await ask(shared.server, query, { ...list.variables(), ...args });
  return [...new Set(errors.map(({ extensions }) => extensions.code))];
}

const rowsOf = (page: Page) => page.edges.map(({ node }) => JSON.stringify(node));

describe.each(lists)("$name", (list) => {
  it("returns each row once, forward and backward, in pages of any size", async () => {
    const whole = await pageOf(list, { first: 500 });
    expect(whole.edges).toHaveLength(list.total);
    expect(whole.totalCount).toBe(list.total);
    expect(new Set(rowsOf(whole)).size).toBe(list.total);
    expect(whole.nodes).toEqual(whole.edges.map(({ node }) => node));
    expect(whole.pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: whole.edges[0]?.cursor,
      endCursor: whole.edges.at(-1)?.cursor,
    });

    const forward: string[] = [];
    let after: string | null = null;
    for (;;) {
      const part: Page = await pageOf(list, { first: 50, after });
      forward.push(...rowsOf(part));
      expect(part.totalCount).toBe(list.total);
      expect(part.pageInfo.startCursor).toBe(part.edges[0]?.cursor);
      expect(part.pageInfo.endCursor).toBe(part.edges.at(-1)?.cursor);
      expect(part.pageInfo.hasNextPage).toBe(forward.length < list.total);
      after = part.pageInfo.endCursor;
      if (!part.pageInfo.hasNextPage) break;
    }
    expect(forward).toEqual(rowsOf(whole));

    const backward: string[] = [];
    let before: string | null = null;
    for (;;) {
      const part: Page = await pageOf(list, { last: 37, before });
      backward.unshift(...rowsOf(part));
      expect(part.pageInfo.hasPreviousPage).toBe(backward.length < list.total);
      before = part.pageInfo.startCursor;
      if (!part.pageInfo.hasPreviousPage) break;
    }
    expect(backward).toEqual(rowsOf(whole));
  });

  it("returns 50 rows a page by default", async () => {
    expect((await pageOf(list, {})).edges).toHaveLength(50);
  });

  it("returns the rows between two cursors, from either end", async () => {
    const { edges } = await pageOf(list, { first: 20 });
    const range = { after: edges[2]?.cursor ?? "", before: edges[12]?.cursor ?? "" };
    const between = edges.slice(3, 12).map(({ cursor }) => cursor);
    const cursorsOf = ({ edges }: Page) => edges.map(({ cursor }) => cursor);
    expect(cursorsOf(await pageOf(list, { ...range, first: 500 }))).toEqual(between);
    expect(cursorsOf(await pageOf(list, { ...range, first: 4 }))).toEqual(between.slice(0, 4));
    expect(cursorsOf(await pageOf(list, { ...range, last: 4 }))).toEqual(between.slice(-4));
    const forward = await pageOf(list, { ...range, first: 4 });
    expect(forward.pageInfo.hasNextPage).toBe(true);
    const backward = await pageOf(list, { ...range, last: 4 });
    expect(backward.pageInfo.hasPreviousPage).toBe(true);
  });

  it("returns no rows for a page size of 0", async () => {
    const none = await pageOf(list, { first: 0 });
    expect(none).toMatchObject({ edges: [], nodes: [], totalCount: list.total });
    expect(none.pageInfo).toMatchObject({ hasNextPage: true, startCursor: null, endCursor: null });
    expect((await pageOf(list, { last: 0 })).pageInfo.hasPreviousPage).toBe(true);
  });

  it.each([{ first: 501 }, { last: 501 }, { first: -1 }, { last: -1 }, { first: 1, last: 1 }])(
    "refuses %j with BAD_USER_INPUT instead of clamping it",
    async (args) => {
      expect(await refusalsOf(list, args)).toEqual(["BAD_USER_INPUT"]);
    },
  );

  it("refuses a malformed cursor and one of another list with CURSOR_INVALID", async () => {
    const own = (await pageOf(list, { first: 1 })).pageInfo.endCursor ?? "";
    const others = lists.filter(({ name }) => name.split(",")[0] !== list.name.split(",")[0]);
    const foreign = await Promise.all(
      others.map(async (other) => (await pageOf(other, { first: 1 })).pageInfo.endCursor ?? ""),
    );
    for (const cursor of ["", "x", "é", own.slice(0, -1), `${own}AAAA`, ...foreign]) {
      expect([cursor, await refusalsOf(list, { first: 1, after: cursor })]).toEqual([
        cursor,
        ["CURSOR_INVALID"],
      ]);
      expect([cursor, await refusalsOf(list, { last: 1, before: cursor })]).toEqual([
        cursor,
        ["CURSOR_INVALID"],
      ]);
    }
  });
});

describe("the order of lists", () => {
  it("is by name by default", async () => {
    const [tenants, workflows] = await Promise.all(
      ["tenants", "Tenant.workflows"].map(async (name) =>
        (await pageOf(lists.find((list) => list.name === name) as ListOf, { first: 500 })).edges.map(
          ({ node }) => node.tenantId ?? node.workflowId,
        ),
      ),
    );
    expect(tenants).toEqual([...(tenants ?? [])].sort());
    expect(workflows).toEqual(Array.from({ length: COUNT }, (_, index) => `w-${padded(index)}`));
  });

  it("is newest first for jobs", async () => {
    const jobs = await pageOf(lists.find(({ name }) => name === "lifecycleJobs") as ListOf, { first: 500 });
    const starts = jobs.edges.map(({ node }) => Date.parse(String(node.startedAt)));
    expect(starts).toEqual([...starts].sort((a, b) => b - a));
    expect(jobs.edges[0]?.node.id).toBe(jobId);
  });

  it("is the log's order for ascending events, and the reverse for descending ones", async () => {
    const ascending = lists.find(({ name }) => name === "lifecycleEvents, oldest first") as ListOf;
    const descending = lists.find(({ name }) => name === "lifecycleEvents, newest first") as ListOf;
    const oldestFirst = rowsOf(await pageOf(ascending, { first: 500 }));
    expect(rowsOf(await pageOf(descending, { first: 500 }))).toEqual(oldestFirst.toReversed());
  });
});
