import { beforeAll, describe, expect, it, vi } from "vitest";
import { untilPublished } from "../support/at-rest.ts";
import { ask, forEachOf, newTenant } from "../support/client.ts";
import { problemOf, sendRaw } from "../support/raw-http.ts";
import { runCommand } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";
import { treeOf } from "../support/storage-tree.ts";
import { HOSTILE } from "./names.ts";

const shared = sharedServer();

type Kind = "tenantId" | "workflowId" | "artifactId";

const good = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };

interface Entry {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly query: string;
  /** Builds the variables of the query from a key. */
  readonly variables: (key: Record<Kind, string>) => Record<string, unknown>;
}

const everyKind = ["tenantId", "workflowId", "artifactId"] as const;
const asIs = (key: Record<Kind, string>) => ({ ...key });

const queries: Entry[] = [
  {
    name: "artifact",
    kinds: everyKind,
    query:
      "query ($tenantId: String!, $workflowId: String!, $artifactId: String!) { artifact(tenantId: $tenantId, workflowId: $workflowId, artifactId: $artifactId) { id } }",
    variables: asIs,
  },
  {
    name: "artifactsByKey",
    kinds: everyKind,
    query: "query ($keys: [ArtifactKeyInput!]!) { artifactsByKey(keys: $keys) { id } }",
    variables: (key) => ({ keys: [good, key, good] }),
  },
  {
    name: "artifacts",
    kinds: ["tenantId", "workflowId"],
    query: "query ($where: ArtifactFilter) { artifacts(where: $where) { totalCount } }",
    variables: ({ tenantId, workflowId }) => ({ where: { tenantId, workflowId } }),
  },
  {
    name: "tenant",
    kinds: ["tenantId"],
    query: "query ($tenantId: String!) { tenant(tenantId: $tenantId) { id } }",
    variables: ({ tenantId }) => ({ tenantId }),
  },
  {
    name: "Tenant.workflow",
    kinds: ["workflowId"],
    query:
      "query ($tenantId: String!, $workflowId: String!) { tenant(tenantId: $tenantId) { workflow(workflowId: $workflowId) { id } } }",
    variables: ({ tenantId, workflowId }) => ({ tenantId, workflowId }),
  },
  {
    name: "Tenant.artifacts",
    kinds: ["tenantId", "workflowId"],
    query: `query ($where: ArtifactFilter) { tenant(tenantId: "${good.tenantId}") { artifacts(where: $where) { totalCount } } }`,
    variables: ({ tenantId, workflowId }) => ({ where: { tenantId, workflowId } }),
  },
  {
    name: "Workflow.artifacts",
    kinds: ["tenantId", "workflowId"],
    query: `query ($where: ArtifactFilter) { tenant(tenantId: "${good.tenantId}") { workflow(workflowId: "w") { artifacts(where: $where) { totalCount } } } }`,
    variables: ({ tenantId, workflowId }) => ({ where: { tenantId, workflowId } }),
  },
  {
    name: "tierStats",
    kinds: ["tenantId"],
    query: "query ($tenantId: String) { tierStats(tenantId: $tenantId) { tier } }",
    variables: ({ tenantId }) => ({ tenantId }),
  },
  {
    name: "retentionPolicy",
    kinds: ["tenantId"],
    query: "query ($tenantId: String) { retentionPolicy(tenantId: $tenantId) { hotDays } }",
    variables: ({ tenantId }) => ({ tenantId }),
  },
  {
    name: "lifecycleEvents",
    kinds: everyKind,
    query: "query ($where: LifecycleEventFilter) { lifecycleEvents(where: $where) { totalCount } }",
    variables: (key) => ({ where: key }),
  },
];

const mutation = (name: string, input: string, selection: string) =>
  `mutation ($input: ${input}!) { ${name}(input: $input) { ${selection} } }`;

const mutations: Entry[] = [
  {
    name: "writeArtifact",
    kinds: everyKind,
    query: mutation("writeArtifact", "WriteArtifactInput", "created"),
    variables: (key) => ({ input: { ...key, content: { text: "hostile" } } }),
  },
  {
    name: "promoteArtifact",
    kinds: everyKind,
    query: mutation("promoteArtifact", "PromoteArtifactInput", "toTier"),
    variables: (key) => ({ input: { ...key, toTier: "COLD" } }),
  },
  {
    name: "restoreArtifact",
    kinds: everyKind,
    query: mutation("restoreArtifact", "RestoreArtifactInput", "toTier"),
    variables: (key) => ({ input: key }),
  },
  {
    name: "restoreArtifacts by keys",
    kinds: everyKind,
    query: mutation("restoreArtifacts", "RestoreArtifactsInput", "job { id }"),
    variables: (key) => ({ input: { keys: [good, key] } }),
  },
  {
    name: "restoreArtifacts by filter",
    kinds: ["tenantId", "workflowId"],
    query: mutation("restoreArtifacts", "RestoreArtifactsInput", "job { id }"),
    variables: ({ tenantId, workflowId }) => ({ input: { where: { tenantId, workflowId } } }),
  },
  {
    name: "purgeArtifact",
    kinds: everyKind,
    query: mutation("purgeArtifact", "PurgeArtifactInput", "sizeBytes"),
    variables: (key) => ({ input: key }),
  },
  {
    name: "runLifecycle",
    kinds: ["tenantId"],
    query: mutation("runLifecycle", "RunLifecycleInput", "started"),
    variables: ({ tenantId }) => ({ input: { tenantId } }),
  },
];

const namesOf = (kind: Kind) =>
  kind === "artifactId"
    ? [
        ...HOSTILE,
        ["a sidecar's name", "a.metadata.json"] as const,
        ["a sidecar's name in capitals", "A.METADATA.JSON"] as const,
      ]
    : HOSTILE;

/**
 * Returns the files, the newest event and the tenants of the store. A rejected request must not change them.
 */
async function stateOfStore() {
  const { nodes } = await shared.tierkeep.lifecycleEventHistory({ first: 1 });
  return {
    files: treeOf(shared.server.dir),
    lastEvent: nodes[0]?.id,
    tenants: (await shared.tierkeep.tenants()).nodes.map(({ tenantId }) => tenantId),
  };
}

let before: Awaited<ReturnType<typeof stateOfStore>>;

beforeAll(async () => {
  await shared.tierkeep.writeArtifact({ ...good, content: { text: "good" } });
  // After publishing and the export, the store does not change until the next request.
  await untilPublished(shared.server);
  // The last file that an export writes.
  await vi.waitFor(
    () => expect(treeOf(shared.server.dir)).toContain("logs/lifecycle_events.checkpoints.jsonl"),
    { timeout: 30_000 },
  );
  before = await stateOfStore();
});

describe.each([...queries, ...mutations])("$name", ({ kinds, query, variables }) => {
  it.each(kinds.map((kind) => [kind]))(
    "rejects every invalid %s with INVALID_IDENTIFIER and changes nothing",
    async (kind) => {
      await forEachOf(
        namesOf(kind),
        async ([what, name]) => {
          const { status, errors } = await ask(shared.server, query, variables({ ...good, [kind]: name }));
          expect([what, status, errors.map(({ extensions }) => extensions.code)]).toEqual([
            what,
            200,
            ["INVALID_IDENTIFIER"],
          ]);
          expect(errors[0]?.extensions.argument).toMatch(new RegExp(`(^|\\.)${kind}$`));
          // The message must not repeat a long name completely.
          expect(errors[0]?.message.length).toBeLessThan(1100);
        },
        8,
      );
      expect(await stateOfStore()).toEqual(before);
    },
  );
});

describe("the URL of an artifact", () => {
  it.each(everyKind)("rejects every invalid %s that it can contain", async (kind) => {
    const names = namesOf(kind).filter(([, name]) => name.isWellFormed() && name.length < 10_000);
    for (const [what, name] of names) {
      const key = { ...good, [kind]: name };
      const path = `/artifacts/${everyKind.map((part) => encodeURIComponent(key[part])).join("/")}`;
      for (const method of ["GET", "PUT"]) {
        const answer = await sendRaw(shared.server, {
          method,
          path,
          ...(method === "PUT" ? { body: "hostile" } : {}),
        });
        expect([what, method, answer.status, problemOf(answer).code]).toEqual([
          what,
          method,
          400,
          "INVALID_IDENTIFIER",
        ]);
      }
    }
    expect(await stateOfStore()).toEqual(before);
  });
});

describe("the command line", () => {
  const names = [".", "a/b"];

  it("rejects an invalid --tenant of a run with exit code 2 and a message of one line", async () => {
    await forEachOf(
      names,
      async (name) => {
        const result = await runCommand([
          "lifecycle",
          "run",
          "--live",
          `--tenant=${name}`,
          "--url",
          shared.server.url,
        ]);
        expect([name, result.code, result.stdout]).toEqual([name, 2, ""]);
        expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
      },
      2,
    );
    expect(await stateOfStore()).toEqual(before);
  });

  it("rejects an invalid --tenant, --workflow or --artifact of a restore with exit code 2", async () => {
    const key = { tenant: good.tenantId, workflow: "w", artifact: "a" };
    const cases = [
      { ...key, tenant: ".." },
      { ...key, workflow: "a/b" },
      { ...key, artifact: "a.metadata.json" },
    ];
    await forEachOf(
      cases,
      async ({ tenant, workflow, artifact }) => {
        const result = await runCommand([
          "restore",
          `--tenant=${tenant}`,
          `--workflow=${workflow}`,
          `--artifact=${artifact}`,
          "--from-tier=cold",
          "--url",
          shared.server.url,
        ]);
        expect([tenant, workflow, artifact, result.code]).toEqual([tenant, workflow, artifact, 2]);
      },
      2,
    );
    expect(await stateOfStore()).toEqual(before);
  });
});
