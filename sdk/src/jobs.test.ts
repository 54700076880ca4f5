import { describe, expect, it } from "vitest";
import { createTierkeep } from "./client.ts";
import { AbortError } from "./errors.ts";
import { NotFoundError } from "./generated/errors.ts";

const url = "http://tierkeep.test/graphql";
const RUNNING = { __typename: "LifecycleJob", id: "j1", status: "RUNNING", progress: 0, finishedAt: null };
const ENDED = { ...RUNNING, status: "SUCCEEDED", progress: 1, finishedAt: "2026-11-24T12:00:00Z" };

/** A client of a server that starts a job, and answers with these, one after the other, when it is asked how it stands. */
function clientOf(...states: (object | null)[]) {
  const asked: unknown[] = [];
  const tierkeep = createTierkeep({
    url,
    fetch: async (_, init) => {
      const { operationName, variables } = JSON.parse(String(init.body));
      if (operationName === "RunLifecycle") {
        return Response.json({ data: { runLifecycle: { started: true, job: RUNNING } } });
      }
      if (operationName === "LifecycleJobs") {
        return Response.json({ data: { lifecycleJobs: { nodes: [ENDED, RUNNING], pageInfo: {} } } });
      }
      if (operationName === "LastLifecycleJob") return Response.json({ data: { lastLifecycleJob: ENDED } });
      asked.push(variables);
      return Response.json({ data: { node: states.length > 1 ? states.shift() : (states[0] ?? null) } });
    },
  });
  return { tierkeep, asked };
}

describe("a job", () => {
  it("can be waited for until it has ended, and tells of its progress on the way", async () => {
    const half = { ...RUNNING, progress: 0.5 };
    const { tierkeep, asked } = clientOf(half, ENDED);
    const { job } = await tierkeep.runLifecycle({});
    const progress: (number | null)[] = [];
    const ended = await job.finished({ pollMs: 1, onProgress: (now) => progress.push(now.progress) });
    expect(ended).toEqual(ENDED);
    expect(progress).toEqual([0, 0.5, 1]);
    expect(asked).toEqual([{ id: "j1" }, { id: "j1" }]);
  });

  it("has ended when it says when, whatever a later version calls that", async () => {
    const { tierkeep } = clientOf({ ...ENDED, status: "PARTLY_DONE" });
    const { job } = await tierkeep.runLifecycle({});
    await expect(job.finished({ pollMs: 1 })).resolves.toMatchObject({ status: "PARTLY_DONE" });
  });

  it("is not asked for again when it has ended already", async () => {
    const { tierkeep, asked } = clientOf(ENDED);
    const last = await tierkeep.lastLifecycleJob();
    await expect(last?.finished()).resolves.toEqual(ENDED);
    expect(asked).toEqual([]);
  });

  it("can be waited for out of a list, too, and out of a query", async () => {
    const { tierkeep } = clientOf(ENDED);
    const { nodes } = await tierkeep.lifecycleJobs();
    await expect(nodes[1]?.finished({ pollMs: 1 })).resolves.toEqual(ENDED);
    const found = await tierkeep.job({ id: "j1" });
    expect(found !== null && "finished" in found).toBe(true);
  });

  it("is nothing but data to whoever prints or copies it", async () => {
    const { tierkeep } = clientOf(ENDED);
    const { job } = await tierkeep.runLifecycle({});
    expect(JSON.parse(JSON.stringify(job))).toEqual(RUNNING);
    expect({ ...job }).toEqual(RUNNING);
    expect(Object.keys(job)).not.toContain("finished");
  });

  it("that the server has forgotten is a NotFoundError to whoever waits", async () => {
    const { tierkeep } = clientOf(null);
    const { job } = await tierkeep.runLifecycle({});
    await expect(job.finished({ pollMs: 1 })).rejects.toBeInstanceOf(NotFoundError);
  });

  it("is waited for until the signal aborts", async () => {
    const { tierkeep } = clientOf(RUNNING);
    const { job } = await tierkeep.runLifecycle({});
    const controller = new AbortController();
    const ended = job.finished({ signal: controller.signal, onProgress: () => controller.abort() });
    await expect(ended).rejects.toBeInstanceOf(AbortError);
  });
});
