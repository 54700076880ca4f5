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
    description: "Whatever has this global id. Null: nothing has, or it is no such id.",
    args: {
      id: t.arg.id({ required: true, description: "A global id, as the field `id` of any node gives it." }),
    },
    resolve: (_root, { id }, context) => loadNode(id, context),
  }),
  nodes: t.field({
    needs: "read",
    type: [builder.nodeInterfaceRef()],
    nullable: { list: false, items: true },
    description: "Whatever has these global ids, in their order; null where nothing has.",
    args: {
      ids: t.arg.idList({
        required: true,
        description: `Global ids. More than ${MAX_KEYS}: BAD_USER_INPUT.`,
      }),
    },
    resolve: (_root, { ids }, context) => {
      requireAtMost(MAX_KEYS, ids, "ids");
      return ids.map((id) => loadNode(id, context));
    },
  }),
}));

/** A node with its type's name, by which the interface tells them apart. What the caller may not see is null, like what is not there. */
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
  // A copy would parse metadata that is text.
  return (
    node &&
    Object.defineProperty(node as { __typename: string }, "__typename", {
      value: __typename,
      writable: true,
      configurable: true,
    })
  );
}
