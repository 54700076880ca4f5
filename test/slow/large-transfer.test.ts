import { createHash } from "node:crypto";
import { ReadableStream } from "node:stream/web";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { generatedBytes } from "../support/generated-bytes.ts";
import { MAX_GROWTH_MIB, peakMiB, residentMiB, whileSampling } from "../support/resident-memory.ts";
import { startServer } from "../support/server.ts";

const SIZE_BYTES = 2 * 1024 ** 3;

describe("an upload and a download of 2 GiB over HTTP", () => {
  it(`keep the content unchanged and add at most ${MAX_GROWTH_MIB} MiB to the idle server's memory`, async () => {
    await using server = await startServer();
    const idle = residentMiB(server.pid);
    const tierkeep = createTierkeep({ url: server.url });
    const content = generatedBytes(SIZE_BYTES);
    const key = { tenantId: newTenant(), workflowId: "large", artifactId: "two-gib.bin" };
    const url = `${server.origin}/artifacts/${key.tenantId}/${key.workflowId}/${key.artifactId}`;

    const up = await whileSampling(server.pid, async () => {
      const response = await fetch(url, {
        method: "PUT",
        body: ReadableStream.from(content.pieces()),
        duplex: "half",
      } as unknown as RequestInit);
      expect(response.status).toBe(201);
      expect(await response.json()).toMatchObject({ created: true, artifact: { checksum: content.sha256 } });
    });
    expect(await tierkeep.artifact(key)).toMatchObject({ sizeBytes: SIZE_BYTES, checksum: content.sha256 });

    const down = await whileSampling(server.pid, async () => {
      const response = await fetch(url);
      expect(response.headers.get("content-length")).toBe(String(SIZE_BYTES));
      const hash = createHash("sha256");
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) hash.update(chunk);
      expect(hash.digest("hex")).toBe(content.sha256);
    });

    console.info(
      `server's memory: idle ${idle.toFixed()} MiB, upload ${up.highestMiB.toFixed()} MiB, download ${down.highestMiB.toFixed()} MiB`,
    );
    for (const samples of [up, down]) expect(samples.count).toBeGreaterThan(10);
    expect(peakMiB(server.pid) - idle).toBeLessThan(MAX_GROWTH_MIB);
    await server.stop();
  }, 600_000);
});
