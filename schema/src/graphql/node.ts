import type { GraphQLContext } from "./execution/context.ts";
import { JOB_TYPE_NAMES } from "./lifecycle/job.ts";
import { MAX_KEYS, requireAtMost } from "./types/arguments.ts";
import { builder } from "./types/builder.ts";
import { parseGlobalId } from "./types/global-ids.ts";

builder.queryFields((t) => ({
  node: t.field({
    needs: "read",
    type: builder.nodeInterfaceRef(),
    nullable: true,
    description: "The object with this global id. Null if there is none, or if the id is malformed.",
    args: {
      id: t.arg.id({ required: true, description: "A global id: the field `id` of any node." }),
    },
    resolve: (_root, { id }, context) => loadNode(id, context),
  }),
  nodes: t.field({
    needs: "read",
    type: [builder.nodeInterfaceRef()],
    nullable: { list: false, items: true },
    description:
      "The objects with these global ids, in the order of the ids. An entry is null if there is no such object, or if the id is malformed.",
    args: {
      ids: t.arg.idList({
        required: true,
        description: `At most ${MAX_KEYS} global ids, else BAD_USER_INPUT.`,
      }),
    },
    resolve: (_root, { ids }, context) => {
      requireAtMost(MAX_KEYS, ids, "ids");
      return ids.map((id) => loadNode(id, context));
    },
  }),
}));

/**
 * Returns a node with its `__typename`, which resolves the interface; null if it does not exist or the caller
 * may not see it.
 */
async function loadNode(
  id: string,
  { reads: { loaders } }: GraphQLContext,
): Promise<{ __typename: string } | null> {
  const parsed = parseGlobalId(id);
  switch (parsed?.type) {
    case "Artifact":
      return named("Artifact", await loaders.artifact(parsed.key));
    case "Tenant":
      return named(
        "Tenant",
        (await loaders.tenantExists(parsed.tenantId)) ? { tenantId: parsed.tenantId } : null,
      );
    case "Workflow":
      return named("Workflow", (await loaders.workflowExists(parsed.workflow)) ? parsed.workflow : null);
    case "LifecycleEvent":
      return named("LifecycleEvent", await loaders.event(parsed.cursor));
    case "Job": {
      const job = await loaders.job(parsed.jobId);
      return job && named(JOB_TYPE_NAMES[job.kind], job);
    }
    case undefined:
      return null;
  }
}

function named(__typename: string, node: object | null): { __typename: string } | null {
  // Sets the property on the object itself: a copy would parse metadata that is kept as text.
  return (
    node &&
    Object.defineProperty(node as { __typename: string }, "__typename", {
      value: __typename,
      writable: true,
      configurable: true,
    })
  );
}
