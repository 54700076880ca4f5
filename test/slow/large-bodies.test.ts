import { once } from "node:events";
import { Agent, type ClientRequest, request } from "node:http";
import { expect, it } from "vitest";
import { sendRaw } from "../support/raw-http.ts";
import { residentMiB } from "../support/resident-memory.ts";
import { startServer } from "../support/server.ts";

const MiB = 2 ** 20;
const BODIES = 100;
const START = '{"query":"{ viewer { actor } }","variables":{"x":"';
const END = '"}}';

it("the server needs less than half the total size of many concurrent request bodies in memory", {
  timeout: 120_000,
}, async () => {
  await using server = await startServer({ env: { MAX_HELD_BYTES: "64MiB" } });
  const { port } = new URL(server.origin);
  const agent = new Agent({ maxSockets: BODIES });
  const before = residentMiB(server.pid);
  const statuses: number[] = [];
  const sent: ClientRequest[] = [];
  const body = `${START}${"x".repeat(7 * MiB - START.length - END.length)}${END}`;
  const all = Array.from({ length: BODIES }, async () => {
    const each = request({ agent, host: "127.0.0.1", port, path: "/graphql", method: "POST" });
    each.setHeader("content-type", "application/json").setHeader("content-length", body.length);
    each.on("error", () => {});
    each.write(body.slice(0, -1));
    sent.push(each);
    const [response] = await once(each, "response");
    response.resume();
    statuses.push(response.statusCode);
  });
  // One principal may use half of the budget, and an eighth of that is reserved for small requests. So three
  // bodies fit, each without its last byte.
  await expect.poll(() => statuses.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(BODIES - 3);
  const grown = residentMiB(server.pid) - before;
  for (const each of sent) each.end("}");
  await Promise.all(all);
  const answered = statuses.filter((status) => status === 200).length;
  expect(answered).toBeGreaterThan(0);
  expect(answered).toBeLessThanOrEqual(3);
  expect(statuses.filter((status) => status === 429)).toHaveLength(BODIES - answered);
  expect(grown).toBeLessThan((BODIES * 7) / 2);
  expect((await sendRaw(server, { path: "/readyz" })).status).toBe(200);
  agent.destroy();
});
