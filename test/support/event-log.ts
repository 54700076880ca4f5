import { dataOf } from "./client.ts";

/** An event as the tests' own clients ask for it. */
export interface SeenEvent {
  readonly cursor: string;
  readonly type: string;
  readonly tenantId: string | null;
  readonly workflowId: string | null;
  readonly artifactId: string | null;
}

/** Wide on purpose: a frame that is cut should be long enough to be cut in its middle. */
const EVENT_FIELDS =
  "cursor id timestamp type actor tenantId workflowId artifactId fromTier toTier ageDays sizeBytes checksum dryRun jobId errorCode error";

export const FOLLOW = `subscription Follow($where: LifecycleEventFilter, $after: String) {
  lifecycleEvents(where: $where, after: $after) { ${EVENT_FIELDS} }
}`;

export interface ErrorEntry {
  readonly message?: string;
  readonly extensions?: { readonly code?: string };
}

/** Where to start following from: the newest event, or the log's start. */
export async function newestCursor(server: { readonly url: string }): Promise<string> {
  const data = await dataOf<{ lifecycleEventCursor: string }>(server, "{ lifecycleEventCursor }");
  return data.lifecycleEventCursor;
}

/** The whole log after a cursor (default: from its start), page by page, oldest first. */
export async function readLog(
  server: { readonly url: string },
  after: string | null = null,
  where: Readonly<Record<string, unknown>> | null = null,
): Promise<SeenEvent[]> {
  const query = `query Log($where: LifecycleEventFilter, $after: String) {
    lifecycleEvents(where: $where, direction: ASC, first: 97, after: $after) {
      nodes { cursor type tenantId workflowId artifactId }
      pageInfo { hasNextPage endCursor }
    }
  }`;
  const events: SeenEvent[] = [];
  for (;;) {
    const { lifecycleEvents: page } = await dataOf<{
      lifecycleEvents: { nodes: SeenEvent[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
    }>(server, query, { where, after });
    events.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) return events;
    after = page.pageInfo.endCursor;
  }
}

export async function write(
  server: { readonly url: string },
  key: { readonly tenantId: string; readonly workflowId: string; readonly artifactId: string },
  text = "content",
): Promise<void> {
  await dataOf(
    server,
    `mutation Write($input: WriteArtifactInput!) { writeArtifact(input: $input) { created } }`,
    { input: { ...key, content: { text } } },
  );
}
