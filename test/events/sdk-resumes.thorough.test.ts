import { createTierkeep, type EventTransport } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { newestCursor, readLog, write } from "../support/event-log.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { startServer } from "../support/server.ts";
import { cursorsOf, END, SHORT, writeThroughKills } from "./concurrent-writers.ts";

const SDK_TRANSPORTS: readonly EventTransport[] = ["sse", "ws"];

/** These tests start servers several times, which is slow on a busy machine. */
const PATIENT = { timeout: 60_000 };

describe("`for await` over the SDK's events", PATIENT, () => {
  for (const transport of SDK_TRANSPORTS) {
    it(`yields every event once and in order over ${transport} despite cut sockets and a killed server`, async () => {
      const random = seededRandom();
      await using server = await startServer();
      await using proxy = await startCuttingProxy({ target: server.origin, random, ...SHORT });
      const tierkeep = createTierkeep({ url: proxy.url, transport });
      const after = await newestCursor(server);
      const events = tierkeep.lifecycleEvents({ after, minDelayMs: 10, maxDelayMs: 40 });

      const received: string[] = [];
      const following = (async () => {
        for await (const event of events) {
          received.push(event.cursor);
          if (event.workflowId === END.workflowId) return;
        }
      })();
      await writeThroughKills(server, newTenant());
      await write(server, { tenantId: newTenant(), ...END });
      await following;

      expect(proxy.cuts).toBeGreaterThan(5);
      expect(received).toEqual(cursorsOf(await readLog(server)));
    });
  }
});
