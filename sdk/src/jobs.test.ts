import { describe, expect, it } from "vitest";
import { createTierkeep } from "./client.ts";
import { AbortError } from "./errors.ts";
import { NotFoundError } from "./generated/errors.ts";

const url = "http://tierkeep.test/graphql";
const RUNNING = { __typename: "LifecycleJob", id: "j1", status: "RUNNING", progress: 0, finishedAt: null };
const ENDED = { ...RUNNING, status: "SUCCEEDED", progress: 1, finishedAt: "2026-11-24T12:00:00Z" };

/**
 * Returns a client whose server starts a job and then returns these states in turn, and the requested
 * variables.
 */
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
  it("waits until it has finished, and reports its progress", async () => {
    const half = { ...RUNNING, progress: 0.5 };
    const { tierkeep, asked } = clientOf(half, ENDED);
    const { job } = await tierkeep.runLifecycle({});
    const progress: (number | null)[] = [];
    const ended = await job.finished({ pollMs: 1, onProgress: (now) => progress.push(now.progress) });
    expect(ended).toEqual(ENDED);
    expect(progress).toEqual([0, 0.5, 1]);
    expect(asked).toEqual([{ id: "j1" }, { id: "j1" }]);
  });

  it("counts as finished if finishedAt is set, also with an unknown status", async () => {
    const { tierkeep } = clientOf({ ...ENDED, status: "PARTLY_DONE" });
    const { job } = await tierkeep.runLifecycle({});
    await expect(job.finished({ pollMs: 1 })).resolves.toMatchObject({ status: "PARTLY_DONE" });
  });

  it("is not read again if it has already finished", async () => {
    const { tierkeep, asked } = clientOf(ENDED);
    const last = await tierkeep.lastLifecycleJob();
    await expect(last?.finished()).resolves.toEqual(ENDED);
    expect(asked).toEqual([]);
  });

  it("has finished() also in lists and in query results", async () => {
    const { tierkeep } = clientOf(ENDED);
    const { nodes } = await tierkeep.lifecycleJobs();
    await expect(nodes[1]?.finished({ pollMs: 1 })).resolves.toEqual(ENDED);
    const found = await tierkeep.job({ id: "j1" });
    expect(found !== null && "finished" in found).toBe(true);
  });

  it("contains only data when it is printed or copied", async () => {
    const { tierkeep } = clientOf(ENDED);
    const { job } = await tierkeep.runLifecycle({});
    expect(JSON.parse(JSON.stringify(job))).toEqual(RUNNING);
    expect({ ...job }).toEqual(RUNNING);
    expect(Object.keys(job)).not.toContain("finished");
  });

  it("rejects finished() with NotFoundError if the server has deleted it", async () => {
    const { tierkeep } = clientOf(null);
    const { job } = await tierkeep.runLifecycle({});
    await expect(job.finished({ pollMs: 1 })).rejects.toBeInstanceOf(NotFoundError);
  });

  it("stops waiting when the signal aborts", async () => {
    const { tierkeep } = clientOf(RUNNING);
    const { job } = await tierkeep.runLifecycle({});
    const controller = new AbortController();
    const ended = job.finished({ signal: controller.signal, onProgress: () => controller.abort() });
    await expect(ended).rejects.toBeInstanceOf(AbortError);
  });
});
