import { describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { newestCursor, readLog, write } from "../support/event-log.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { startServer } from "../support/server.ts";
import {
  cursorsOf,
  END,
  isEnd,
  KILL_AFTER,
  SEVERAL,
  SHORT,
  WRITES,
  writeConcurrently,
  writeThroughKills,
} from "./concurrent-writers.ts";
import { type ResumingClient, resumingClient, type Transport } from "./resuming-client.ts";

const TRANSPORTS: readonly Transport[] = ["sse", "graphql-ws"];
/** Servers start several times here, and a busy machine takes its time over it. */
const PATIENT = { timeout: 60_000 };

describe(
  "a client that resumes after the last event it got sees every event once, in the log's order",
  PATIENT,
  () => {
    for (const transport of TRANSPORTS) {
      it(`over ${transport}, its sockets cut mid-frame again and again while several write`, async () => {
        const random = seededRandom();
        await using server = await startServer();
        await using proxy = await startCuttingProxy({ target: server.origin, random, ...SHORT });
        const start = await newestCursor(server);
        await using client = resumingClient(proxy, { transport, after: start, resumeFrom: "last" });

        await writeConcurrently(server, { tenantId: newTenant(), ...SEVERAL });
        await write(server, { tenantId: newTenant(), ...END });
        await client.until(isEnd);

        const log = await readLog(server);
        expect(log.length).toBeGreaterThan(WRITES);
        expect(proxy.cuts).toBeGreaterThan(10);
        expect(cursorsOf(client.received)).toEqual(cursorsOf(log));
      });

      it(`over ${transport}, the server killed and started again on its port while several write`, async () => {
        await using server = await startServer();
        const start = await newestCursor(server);
        await using client = resumingClient(server, { transport, after: start, resumeFrom: "last" });

        await writeThroughKills(server, newTenant());
        await write(server, { tenantId: newTenant(), ...END });
        await client.until(isEnd);

        expect(client.connections).toBeGreaterThan(KILL_AFTER.length);
        expect(cursorsOf(client.received)).toEqual(cursorsOf(await readLog(server)));
      });
    }
  },
);

describe("control: the same, but the client does not say where it was", PATIENT, () => {
  for (const transport of TRANSPORTS) {
    it(`over ${transport}, events of while it was away are lost: the tests above would see it`, async () => {
      const random = seededRandom();
      await using server = await startServer();
      await using proxy = await startCuttingProxy({ target: server.origin, random, ...SHORT });
      let acknowledged = 0;
      let nextWrite = Promise.withResolvers<void>();
      let writing = true;
      const start = await newestCursor(server);
      await using client = resumingClient(proxy, {
        transport,
        after: start,
        resumeFrom: "nothing",
        // Something does happen while it is away.
        beforeReconnect: async () => {
          if (writing) await nextWrite.promise;
        },
      });

      // However long the client takes until it has been away several times.
      do {
        await writeConcurrently(server, {
          tenantId: newTenant(),
          ...SEVERAL,
          onAcknowledged: (count) => {
            acknowledged = count;
            nextWrite.resolve();
            nextWrite = Promise.withResolvers();
          },
        });
      } while (proxy.cuts < 5);
      writing = false;
      nextWrite.resolve();
      proxy.stopCutting();
      await writeUntilSeen(server, client);

      const log = cursorsOf(await readLog(server));
      const received = cursorsOf(client.received);
      expect(acknowledged).toBe(WRITES);
      expect(received).not.toEqual(log);
      // What did arrive is right: it is the replay that is missing, and nothing else.
      expect(received).toEqual(log.filter((cursor) => received.includes(cursor)));
      expect(received.length).toBeLessThan(log.length);
    });
  }
});

/** Writes one last artifact after another until the client, wherever it begins, gets one of them. */
async function writeUntilSeen(server: { readonly url: string }, client: ResumingClient): Promise<void> {
  const tenantId = newTenant();
  let seen = false;
  const arrives = client.until(isEnd).then(() => {
    seen = true;
  });
  for (let n = 0; !seen; n += 1) {
    await write(server, { tenantId, workflowId: END.workflowId, artifactId: `end-${n}.txt` });
  }
  await arrives;
}
