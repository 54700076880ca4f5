import { dataOf } from "../support/client.ts";
import type { SeenEvent } from "../support/event-log.ts";
import type { Server } from "../support/server.ts";
import { pause } from "./resuming-client.ts";

export interface WritersOptions {
  readonly tenantId: string;
  readonly writers: number;
  readonly writesEach: number;
  /** Called after each acknowledged write, with how many there have been. */
  readonly onAcknowledged?: (count: number) => void;
}

const WRITE = `mutation Write($input: WriteArtifactInput!) { writeArtifact(input: $input) { created } }`;
const MOVE = `mutation Move($input: PromoteArtifactInput!) { promoteArtifact(input: $input) { toTier } }`;

/**
 * Several writers at once, some of them on the same keys: writes, overwrites, and now and then a move. One that gets
 * no answer, because the server has been killed, tries again until it gets one.
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
        // Another writer's overwrite may have brought it back to hot, or its move may have been first: both are fine.
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

/** Who writes in the tests of what is lost: four at once. */
export const SEVERAL = { writers: 4, writesEach: 20 };
export const WRITES = SEVERAL.writers * SEVERAL.writesEach;

/** After so many acknowledged writes the server is killed. */
export const KILL_AFTER = [20, 50];

/** Several write all the time, and the server is killed and restarted on its port meanwhile. */
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

/** An event is about 500 bytes on the wire: most connections carry a few, and some none. */
export const SHORT = { leastBytes: 300, mostBytes: 6_000 };

/** Written after everything else, so that a follower knows the end when it gets there. */
export const END = { workflowId: "end", artifactId: "end.txt" };

export function isEnd({ workflowId }: SeenEvent): boolean {
  return workflowId === END.workflowId;
}

export function cursorsOf(events: readonly { readonly cursor: string }[]): string[] {
  return events.map(({ cursor }) => cursor);
}
