import { beforeAll, describe, expect, it } from "vitest";
import { ask, newTenant } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();
const tenantId = newTenant();
const workflow = { tenantId, workflowId: "w" };

const IDS = [
  "plots/2026/sales.svg",
  "plots/2026/costs.svg",
  "plots/index.html",
  "plots",
  "plots-old",
  "report.md",
];

beforeAll(async () => {
  for (const artifactId of IDS) await shared.tierkeep.upload({ ...workflow, artifactId }, artifactId);
});

const names = (
  nodes: readonly (
    | { readonly __typename: "Folder"; readonly prefix: string }
    | { readonly __typename: "Artifact"; readonly artifactId: string }
  )[],
) => nodes.map((node) => (node.__typename === "Folder" ? node.prefix : node.artifactId));

describe("Workflow.folder", () => {
  it("lists folders and artifacts one level below a prefix", async () => {
    const top = await shared.tierkeep.folder(workflow);
    expect(names(top?.nodes ?? [])).toEqual(["plots", "plots-old", "plots/", "report.md"]);
    const plots = await shared.tierkeep.folder({ ...workflow, prefix: "plots/" });
    expect(plots?.nodes[0]).toEqual({ __typename: "Folder", name: "2026", prefix: "plots/2026/" });
    expect(plots?.nodes[1]).toMatchObject({ artifactId: "plots/index.html", tier: "HOT", sizeBytes: 16 });
    const deepest = await shared.tierkeep.folder({ ...workflow, prefix: "plots/2026/" });
    expect(names(deepest?.nodes ?? [])).toEqual(["plots/2026/costs.svg", "plots/2026/sales.svg"]);
    expect((await shared.tierkeep.folder({ ...workflow, prefix: "none/" }))?.nodes).toEqual([]);
    expect(await shared.tierkeep.folder({ ...workflow, workflowId: "none" })).toBeNull();
  });

  it("is read page by page", async () => {
    const nodes = await Array.fromAsync(shared.tierkeep.folder({ ...workflow, first: 1 }));
    expect(names(nodes)).toEqual(["plots", "plots-old", "plots/", "report.md"]);
    const page = await shared.tierkeep.folder({ ...workflow, first: 3 });
    expect(page?.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const after = page?.pageInfo.endCursor;
    expect(names((await shared.tierkeep.folder({ ...workflow, after }))?.nodes ?? [])).toEqual(["report.md"]);
    await expect(shared.tierkeep.folder({ ...workflow, prefix: "plots/", after })).rejects.toMatchObject({
      code: "CURSOR_INVALID",
    });
  });

  it.each([
    ["plots", "BAD_USER_INPUT", { argument: "prefix" }],
    ["/", "INVALID_IDENTIFIER", { argument: "prefix" }],
    ["../", "INVALID_IDENTIFIER", { argument: "prefix" }],
    ["a//", "INVALID_IDENTIFIER", { argument: "prefix" }],
  ])("refuses the prefix %j with %s", async (prefix, code, facts) => {
    await expect(shared.tierkeep.folder({ ...workflow, prefix })).rejects.toMatchObject({ code, ...facts });
  });

  it("has edges with cursors, and costs as much as other lists", async () => {
    const query = (first: number, inner: string) =>
      `{ tenant(tenantId: "${tenantId}") { workflow(workflowId: "w") { folder(first: ${first}) { ${inner} } } } }`;
    const answer = await ask(
      shared.server,
      query(1, "edges { cursor node { ... on Artifact { artifactId } } }"),
    );
    expect(answer).toMatchObject({
      data: {
        tenant: {
          workflow: { folder: { edges: [{ cursor: expect.any(String), node: { artifactId: "plots" } }] } },
        },
      },
    });
    for (const [first, code] of [
      [501, "BAD_USER_INPUT"],
      [-1, "BAD_USER_INPUT"],
    ] as const) {
      const refused = await ask(shared.server, query(first, "nodes { __typename }"));
      expect(refused).toMatchObject({ errors: [{ extensions: { code } }] });
    }
    const many = Array.from({ length: 200 }, (_, n) => `f${n}: folder(first: 500) { nodes { __typename } }`);
    const costly = await ask(
      shared.server,
      `{ tenant(tenantId: "${tenantId}") { workflow(workflowId: "w") { ${many.join(" ")} } } }`,
    );
    expect(costly).toMatchObject({ errors: [{ extensions: { code: "QUERY_TOO_COMPLEX" } }] });
  });
});
