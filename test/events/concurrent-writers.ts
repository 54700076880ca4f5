import { dataOf } from "../support/client.ts";
import type { SeenEvent } from "../support/event-log.ts";
import type { Server } from "../support/server.ts";
import { pause } from "./resuming-client.ts";

export interface WritersOptions {
  readonly tenantId: string;
  readonly writers: number;
  readonly writesEach: number;
  /** Called after each acknowledged write, with the number of acknowledged writes so far. */
  readonly onAcknowledged?: (count: number) => void;
}

const WRITE = `mutation Write($input: WriteArtifactInput!) { writeArtifact(input: $input) { created } }`;
const MOVE = `mutation Move($input: PromoteArtifactInput!) { promoteArtifact(input: $input) { toTier } }`;

/**
 * Runs concurrent writers, some of them on the same keys. They write, overwrite and sometimes move artifacts.
 * A writer retries a request until it gets a response, because the server may be killed before it responds.
 */
export async function writeConcurrently(
  server: { readonly url: string },
  { tenantId, writers, writesEach, onAcknowledged }: WritersOptions,
): Promise<void> {
  let acknowledged = 0;
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let n = 0; n < writesEach; n += 1) {
        const key = { tenantId, workflowId: `workflow-${writer % 2}`, artifactId: `artifact-${n % 7}.txt` };
        const content = { text: `writer ${writer}, write ${n}` };
        await answered(() => dataOf(server, WRITE, { input: { ...key, content } }));
        acknowledged += 1;
        onAcknowledged?.(acknowledged);
        // Another writer may have overwritten the artifact in HOT or moved it first. Both are fine.
        if (n % 5 === 4) {
          await answered(() => dataOf(server, MOVE, { input: { ...key, toTier: "WARM" } }));
        }
      }
    }),
  );
}

async function answered(request: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await request();
      return;
    } catch (error) {
      const message = String(error);
      if (message.includes("SAME_TIER")) return;
      if (message.startsWith("Error: refused:") && !message.includes("UNAVAILABLE")) throw error;
      await pause(20);
    }
  }
}

/** The load of the tests for lost events: four concurrent writers. */
export const SEVERAL = { writers: 4, writesEach: 20 };
export const WRITES = SEVERAL.writers * SEVERAL.writesEach;

/** Numbers of acknowledged writes after which the server is killed. */
export const KILL_AFTER = [20, 50];

/** Writes concurrently while the server is killed and restarted on the same port. */
export async function writeThroughKills(server: Server, tenantId: string): Promise<void> {
  let kills = Promise.resolve();
  await writeConcurrently(server, {
    tenantId,
    ...SEVERAL,
    onAcknowledged: (count) => {
      if (!KILL_AFTER.includes(count)) return;
      kills = kills.then(async () => {
        await server.kill("SIGKILL");
        await server.restart();
      });
    },
  });
  await kills;
}

/** An event is about 500 bytes on the wire, so most connections carry a few events and some carry none. */
export const SHORT = { leastBytes: 300, mostBytes: 6_000 };

/** The artifact that is written last. Its event tells a subscriber that the log is complete. */
export const END = { workflowId: "end", artifactId: "end.txt" };

export function isEnd({ workflowId }: SeenEvent): boolean {
  return workflowId === END.workflowId;
}

export function cursorsOf(events: readonly { readonly cursor: string }[]): string[] {
  return events.map(({ cursor }) => cursor);
}
