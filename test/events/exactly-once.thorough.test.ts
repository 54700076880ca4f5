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
/** These tests start servers several times, which is slow on a busy machine. */
const PATIENT = { timeout: 60_000 };

describe("a client that resumes after the last received event", PATIENT, () => {
  for (const transport of TRANSPORTS) {
    it(`receives every event once and in order over ${transport} if its sockets are cut within frames`, async () => {
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

    it(`receives every event once and in order over ${transport} if the server is killed and restarted`, async () => {
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
});

describe("a client that reconnects without a cursor (control)", PATIENT, () => {
  for (const transport of TRANSPORTS) {
    it(`loses the events of its absence over ${transport}, so the tests above would detect a loss`, async () => {
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
        // At least one event occurs while the client is disconnected.
        beforeReconnect: async () => {
          if (writing) await nextWrite.promise;
        },
      });

      // Writes until the client has been disconnected several times.
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
      // The received events are correct and in order. Only the events without a replay are missing.
      expect(received).toEqual(log.filter((cursor) => received.includes(cursor)));
      expect(received.length).toBeLessThan(log.length);
    });
  }
});

/** Writes end artifacts until the client receives the event of one, wherever its subscription starts. */
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
