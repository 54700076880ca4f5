import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { daysAfter, forEachOf } from "../support/client.ts";
import { writeMany } from "../support/many-artifacts.ts";
import { sendRaw } from "../support/raw-http.ts";
import { startServer } from "../support/server.ts";
import { auditLines, viewOf } from "../support/storage-tree.ts";

describe("SIGTERM", () => {
  it("returns the running job to a client that waits for it, and resumes the job after the next start", async () => {
    await using server = await startServer({ env: { TIERKEEP_ALLOW_AS_OF: "true" } });
    const tierkeep = createTierkeep({ url: server.url });
    // A run over them takes more than a second, so it is still in progress when the signal arrives.
    const COUNT = 3_000;
    await writeMany(server, "t", COUNT);
    const asOf = daysAfter(new Date().toISOString(), 8);
    const waiting = tierkeep.runLifecycle({ asOf, waitSeconds: 60 });
    await expect
      .poll(async () => (await tierkeep.lifecycleJobs()).nodes[0]?.promotedToWarm ?? 0, { interval: 1 })
      .toBeGreaterThan(0);
    const stopped = server.stop();
    const { job } = await waiting;
    await stopped;
    expect(job.status).toBe("RUNNING");
    await server.restart();
    await expect.poll(async () => (await tierkeep.lifecycleJob({ id: job.id }))?.status).toBe("SUCCEEDED");
    expect((await tierkeep.lifecycleJob({ id: job.id }))?.promotedToWarm).toBe(COUNT);
  });

  it("settles, publishes and exports every acknowledged write, then exits with 0", async () => {
    await using server = await startServer();
    const tierkeep = createTierkeep({ url: server.url });
    const names = Array.from({ length: 200 }, (_, index) => `a-${String(index).padStart(3, "0")}`);
    await forEachOf(names, (artifactId) =>
      tierkeep.writeArtifact({ tenantId: "t", workflowId: "w", artifactId, content: { text: artifactId } }),
    );
    await server.stop();
    expect(viewOf(server).filter((path) => !path.endsWith(".metadata.json"))).toEqual(
      names.map((name) => `hot/t/w/${name}`),
    );
    expect(auditLines(server)).toHaveLength(names.length);
  });

  it("completes an upload in progress", async () => {
    await using server = await startServer();
    const content = Buffer.alloc(400_000, 1);
    const answer = await sendRaw(server, {
      method: "PUT",
      path: "/artifacts/t/w/a",
      headers: { expect: "100-continue", "content-length": content.length },
      body: content,
      // The server has accepted the request and waits for the body.
      onContinue: () => server.signal("SIGTERM"),
    });
    expect(answer).toMatchObject({ status: 201, continued: true });
    expect((await server.exited).code).toBe(0);
    await server.restart();
    const key = { tenantId: "t", workflowId: "w", artifactId: "a" };
    expect(await (await createTierkeep({ url: server.url }).download(key)).bytes()).toHaveLength(400_000);
  });

  it("closes the listener and releases the store to the next server", async () => {
    await using server = await startServer();
    const { origin } = server;
    await server.stop();
    await expect(fetch(`${origin}/healthz`)).rejects.toThrow();
    await using next = await startServer({ dir: server.dir });
    expect((await sendRaw(next, { path: "/readyz" })).status).toBe(200);
  });
});
