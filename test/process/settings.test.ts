import { describe, expect, it } from "vitest";
import { untilPublished } from "../support/at-rest.ts";
import { newTenant, refusalOf } from "../support/client.ts";
import { problemOf, sendRaw } from "../support/raw-http.ts";
import { sharedServer } from "../support/shared-server.ts";
import { viewOf } from "../support/storage-tree.ts";

const shared = sharedServer({
  PUBLIC_URL: "https://tierkeep.example/base",
  CORS_ORIGINS: "https://app.example, http://other.example:8080",
  HOT_RETENTION_DAYS: "never",
  WARM_RETENTION_DAYS: "never",
  COLD_RETENTION_DAYS: "never",
  LIFECYCLE_SCHEDULE: "* * * * * *",
  DURABILITY: "os",
  PUBLISH_TREE: "false",
  MAX_INLINE_BYTES: "100",
  MAX_ARTIFACT_BYTES: "1KiB",
});

const newKey = () => ({ tenantId: newTenant(), workflowId: "w", artifactId: "a" });

describe("MAX_INLINE_BYTES", () => {
  it("limits content in GraphQL, but not at the artifact's URL", async () => {
    const key = newKey();
    await shared.tierkeep.writeArtifact({ ...key, content: { text: "x".repeat(100) } });
    expect((await shared.tierkeep.artifactContent(key))?.text).toHaveLength(100);
    const over = shared.tierkeep.writeArtifact({ ...key, content: { text: "x".repeat(101) } });
    expect(await refusalOf(over)).toMatchObject({ code: "CONTENT_TOO_LARGE" });
    await shared.tierkeep.upload(key, "x".repeat(101));
    expect(await shared.tierkeep.artifactContent(key)).toMatchObject({ sizeBytes: 101, text: null });
    expect(await (await shared.tierkeep.download(key)).text()).toHaveLength(101);
  });
});

describe("MAX_ARTIFACT_BYTES", () => {
  it("rejects a larger upload by its content-length, before its bytes are sent", async () => {
    const key = newKey();
    await shared.tierkeep.upload(key, "x".repeat(1024));
    const answer = await sendRaw(shared.server, {
      method: "PUT",
      path: `/artifacts/${key.tenantId}/w/b`,
      headers: { expect: "100-continue", "content-length": "1025" },
      body: "x".repeat(1025),
    });
    expect(answer).toMatchObject({ status: 413, continued: false });
    expect(problemOf(answer).code).toBe("CONTENT_TOO_LARGE");
  });

  it("rejects a larger upload without content-length as soon as the limit is exceeded", async () => {
    const key = newKey();
    async function* chunks() {
      for (let index = 0; index < 11; index++) yield "x".repeat(100);
    }
    expect(await refusalOf(shared.tierkeep.upload(key, chunks()))).toMatchObject({
      code: "CONTENT_TOO_LARGE",
    });
    expect(await shared.tierkeep.artifact(key)).toBeNull();
  });
});

describe("PUBLIC_URL and CORS_ORIGINS", () => {
  it.each(["https://tierkeep.example", "https://app.example", "http://other.example:8080"])(
    "allow pages of %s to send requests and read responses",
    async (origin) => {
      const answer = await sendRaw(shared.server, {
        method: "POST",
        path: "/graphql",
        headers: { origin, "content-type": "application/json" },
        body: JSON.stringify({ query: "{ viewer { actor } }" }),
      });
      expect(answer.status).toBe(200);
      expect(answer.headers["access-control-allow-origin"]).toBe(origin);
      const preflight = await sendRaw(shared.server, {
        method: "OPTIONS",
        path: "/artifacts/t/w/a",
        headers: { origin, "access-control-request-method": "PUT" },
      });
      expect(preflight.headers["access-control-allow-methods"]).toContain("PUT");
    },
  );

  it.each([
    "https://app.example:8443",
    "http://app.example",
    "https://app.example.evil",
    "https://xapp.example",
  ])("reject pages of %s", async (origin) => {
    const answer = await sendRaw(shared.server, { path: "/readyz", headers: { origin } });
    expect([answer.status, problemOf(answer).code]).toEqual([403, "FORBIDDEN"]);
  });
});

describe("PUBLISH_TREE=false", () => {
  it("publishes no tree, and serves artifacts", async () => {
    const key = newKey();
    await shared.tierkeep.upload(key, "x".repeat(1000));
    await shared.tierkeep.promoteArtifact({ ...key, toTier: "COLD" });
    await untilPublished(shared.server);
    expect(viewOf(shared.server)).toEqual([]);
    expect(await (await shared.tierkeep.download(key)).text()).toHaveLength(1000);
  });
});

describe("a retention of `never`", () => {
  it("moves no artifact", async () => {
    const key = newKey();
    const { artifact } = await shared.tierkeep.writeArtifact({ ...key, content: { text: "x" } });
    expect(artifact.nextTransition).toBeNull();
    const { job } = await shared.tierkeep.runLifecycle({ dryRun: true, asOf: "9999-01-01T00:00:00Z" });
    expect(job).toMatchObject({ status: "SUCCEEDED", promotedToWarm: 0 });
  });
});

describe("LIFECYCLE_SCHEDULE", () => {
  it("starts live runs for all tenants, with schedule as their actor", async () => {
    const scheduled = async () =>
      (
        await shared.tierkeep.lifecycleEventHistory({
          where: { types: ["LIFECYCLE_JOB_COMPLETED"], dryRun: false },
        })
      ).nodes;
    await expect.poll(scheduled).not.toEqual([]);
    const [event] = await scheduled();
    expect(event).toMatchObject({ actor: "schedule", tenantId: null, dryRun: false });
    expect(await shared.tierkeep.lifecycleJob({ id: event?.jobId ?? "" })).toMatchObject({
      status: "SUCCEEDED",
    });
  });
});
