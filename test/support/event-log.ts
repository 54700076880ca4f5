import { dataOf } from "./client.ts";

/** The fields of an event that the tests' own clients read. */
export interface SeenEvent {
  readonly cursor: string;
  readonly type: string;
  readonly tenantId: string | null;
  readonly workflowId: string | null;
  readonly artifactId: string | null;
}

/** Many fields, so that a frame is long enough to be cut in the middle. */
const EVENT_FIELDS =
  "cursor id timestamp type actor tenantId workflowId artifactId fromTier toTier ageDays sizeBytes checksum dryRun jobId errorCode error";

export const FOLLOW = `subscription Follow($where: LifecycleEventFilter, $after: String) {
  lifecycleEvents(where: $where, after: $after) { ${EVENT_FIELDS} }
}`;

export interface ErrorEntry {
  readonly message?: string;
  readonly extensions?: { readonly code?: string };
}

/** Returns the cursor of the newest event, or of the log's start if the log is empty. */
export async function newestCursor(server: { readonly url: string }): Promise<string> {
  const data = await dataOf<{ lifecycleEventCursor: string }>(server, "{ lifecycleEventCursor }");
  return data.lifecycleEventCursor;
}

/** Reads all events after a cursor (default: from the log's start), oldest first, page by page. */
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

/** Writes one artifact with text content. */
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
