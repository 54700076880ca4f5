import { statSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { ask, forEachOf } from "../support/client.ts";
import { sendRaw } from "../support/raw-http.ts";
import { startServer } from "../support/server.ts";
import { auditLines, viewOf } from "../support/storage-tree.ts";

describe("tierkeep serve", () => {
  it("prints one line on stdout, logs each request on stderr, and tells neither content nor secrets", async () => {
    await using server = await startServer();
    for (const file of ["owner.json", "config.json"]) {
      expect(statSync(join(server.dir, "artifacts", ".tierkeep", file)).mode & 0o077).toBe(0);
    }
    const { headers } = await ask(
      server,
      `mutation { writeArtifact(input: { tenantId: "t", workflowId: "w", artifactId: "a", content: { text: "very secret" } }) { created } }`,
    );
    const root = await sendRaw(server, { path: "/" });
    expect([root.status, root.headers.location]).toEqual([302, "/graphql"]);
    await server.stop();

    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/graphql$/);
    expect(server.stdout).toEqual([`tierkeep listening on ${server.url}`]);
    const requestId = headers.get("x-request-id") ?? "none";
    const line = server.stderr.split("\n").find((text) => text.includes(requestId));
    expect(JSON.parse(line ?? "{}")).toMatchObject({ requestId, status: 200 });
    expect(server.stderr).not.toContain("very secret");
  });
});

describe("SIGTERM", { timeout: 60_000 }, () => {
  it("settles, publishes and exports what was written before, and ends with 0", async () => {
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

  it("lets an upload that is under way come to its end", async () => {
    await using server = await startServer();
    const content = Buffer.alloc(400_000, 1);
    const answer = await sendRaw(server, {
      method: "PUT",
      path: "/artifacts/t/w/a",
      headers: { expect: "100-continue", "content-length": content.length },
      body: content,
      // The server has taken it on and waits for its bytes: now it is told to stop.
      onContinue: () => server.signal("SIGTERM"),
    });
    expect(answer).toMatchObject({ status: 201, continued: true });
    expect((await server.exited).code).toBe(0);
    await server.restart();
    const key = { tenantId: "t", workflowId: "w", artifactId: "a" };
    expect(await (await createTierkeep({ url: server.url }).download(key)).bytes()).toHaveLength(400_000);
  });

  it("takes nothing new on, and leaves the store to the next one at once", async () => {
    await using server = await startServer();
    const { origin } = server;
    await server.stop();
    await expect(fetch(`${origin}/healthz`)).rejects.toThrow();
    await using next = await startServer({ dir: server.dir });
    expect((await sendRaw(next, { path: "/readyz" })).status).toBe(200);
  });
});
