import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { forEachOf } from "../support/client.ts";
import { readLog } from "../support/event-log.ts";
import { startServer } from "../support/server.ts";
import { keyIn, mutate } from "./mutations.ts";

describe("a retry with the same idempotency key", () => {
  it("returns the first answer after the server was stopped or killed", async () => {
    await using server = await startServer();
    const key = keyIn("t");
    const once = { ...key, content: { text: "x" }, idempotencyKey: "write" };
    const first = await mutate(server, "writeArtifact", once);
    const run = await mutate(server, "runLifecycle", { idempotencyKey: "run" });
    await server.restart();
    expect((await mutate(server, "writeArtifact", once)).data).toEqual(first.data);
    await server.kill("SIGKILL");
    await server.restart();
    expect((await mutate(server, "writeArtifact", once)).data).toEqual(first.data);
    expect((await mutate(server, "runLifecycle", { idempotencyKey: "run" })).data).toEqual(run.data);
    expect((await readLog(server)).map(({ type }) => type)).toEqual([
      "ARTIFACT_WRITTEN",
      "LIFECYCLE_JOB_STARTED",
      "LIFECYCLE_JOB_COMPLETED",
    ]);
  });

  it("makes each change once when the server was killed during the first attempts", async () => {
    await using server = await startServer();
    const inputs = Array.from({ length: 300 }, (_, n) => ({
      ...keyIn("t", `a${n}`),
      content: { text: `content ${n}` },
      ifAbsent: true,
      idempotencyKey: `key ${n}`,
    }));
    const answered = new Map<string, unknown>();
    const killed = Promise.withResolvers<unknown>();
    await forEachOf(inputs, async (input) => {
      try {
        answered.set(input.artifactId, (await mutate(server, "writeArtifact", input)).data);
      } catch {
        // The connection was lost.
      }
      if (answered.size === 100) killed.resolve(server.kill("SIGKILL"));
    });
    await killed.promise;
    await server.restart();
    const tierkeep = createTierkeep({ url: server.url });
    await forEachOf(inputs, async (input) => {
      const { data, errors } = await mutate(server, "writeArtifact", input);
      expect([data, errors]).toMatchObject([{ writeArtifact: { created: true } }, []]);
      if (answered.has(input.artifactId)) expect(data).toEqual(answered.get(input.artifactId));
    });
    expect(await readLog(server)).toHaveLength(inputs.length);
    expect((await tierkeep.artifacts({ first: 500 })).nodes).toHaveLength(inputs.length);
  });
});
