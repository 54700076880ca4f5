import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ask } from "../support/client.ts";
import { sendRaw } from "../support/raw-http.ts";
import { startServer } from "../support/server.ts";

describe("tierkeep serve", () => {
  it("prints one line to stdout, logs each request to stderr, and reveals no content", async () => {
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
