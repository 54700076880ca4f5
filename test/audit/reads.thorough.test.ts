import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { type Server, startServer } from "../support/server.ts";

const key = { tenantId: "t", workflowId: "w", artifactId: "a" };

async function readInEveryWay(server: Server): Promise<void> {
  const tierkeep = createTierkeep({ url: server.url });
  const { artifact } = await tierkeep.upload(key, "0123456789", { tier: "WARM" });
  const url = `${server.origin}/artifacts/t/w/a`;
  expect(await (await fetch(url)).text()).toBe("0123456789");
  expect(await (await fetch(url, { headers: { range: "bytes=2-4" } })).text()).toBe("234");
  expect((await tierkeep.artifactContent({ ...key, withBase64: true }))?.text).toBe("0123456789");
  // These return no content.
  expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
  expect((await fetch(url, { headers: { "if-none-match": `"${artifact.checksum}"` } })).status).toBe(304);
  expect((await fetch(url, { headers: { range: "bytes=99-" } })).status).toBe(416);
  expect((await fetch(`${url}-none`)).status).toBe(404);
  await tierkeep.artifacts();
}

async function reads(server: Server) {
  const { nodes } = await createTierkeep({ url: server.url }).lifecycleEventHistory({
    where: { types: ["ARTIFACT_READ"] },
    direction: "ASC",
  });
  return nodes;
}

describe("AUDIT_READS", () => {
  it("logs every read of content once, with its actor, artifact and size", async () => {
    await using server = await startServer({ env: { AUDIT_READS: "true" } });
    await readInEveryWay(server);
    const events = await reads(server);
    expect(events.map(({ sizeBytes }) => sizeBytes)).toEqual([10, 3, 10]);
    for (const event of events) {
      expect(event).toMatchObject({ ...key, actor: "local", fromTier: "WARM", toTier: null, dryRun: false });
      expect(event.checksum).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it("logs no reads when unset", async () => {
    await using server = await startServer();
    await readInEveryWay(server);
    expect(await reads(server)).toEqual([]);
  });

  it("logs one read for each artifact that a subscriber reads with its events", async () => {
    await using server = await startServer({ env: { AUDIT_READS: "true" } });
    const tierkeep = createTierkeep({ url: server.url });
    const stop = new AbortController();
    const response = await fetch(server.url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({
        query: "subscription { lifecycleEvents { type artifactId artifact { text } } }",
      }),
      signal: stop.signal,
    });
    const events = eventsIn(response);
    await tierkeep.upload(key, "0123456789");
    expect(await events.next()).toMatchObject({
      value: { type: "ARTIFACT_WRITTEN", artifact: { text: "0123456789" } },
    });
    expect(await events.next()).toMatchObject({
      value: { type: "ARTIFACT_READ", artifactId: "a", artifact: null },
    });
    await tierkeep.upload({ ...key, artifactId: "b" }, "");
    expect(await events.next()).toMatchObject({ value: { type: "ARTIFACT_WRITTEN", artifactId: "b" } });
    expect((await reads(server)).map(({ artifactId }) => artifactId)).toEqual(["a", "b"]);
    stop.abort();
  });
});

/** Yields the events of a subscription over server-sent events. */
async function* eventsIn({ body }: Response): AsyncGenerator<unknown> {
  let text = "";
  for await (const chunk of (body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
    new TextDecoderStream(),
  )) {
    text += chunk;
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const data = /^data: (\{.*)$/m.exec(part)?.[1];
      if (data !== undefined) yield JSON.parse(data).data.lifecycleEvents;
    }
  }
}
