import type { Tierkeep } from "@tierkeep/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { capturedOutput } from "../../../../testing/cli/captured-output.ts";
import { type ClientStore, openClientStore } from "../../../../testing/cli/client-store.ts";
import { DemoClock } from "../tools/demo/clock.ts";
import { confirmedLifecycleRun, lifecycleRun } from "./lifecycle-run.ts";
import { lifecycleSummary } from "./lifecycle-summary.ts";

let store: ClientStore;
let clock: DemoClock;
let tierkeep: Tierkeep;

beforeEach(async () => {
  clock = new DemoClock(-100);
  store = await openClientStore(clock);
  tierkeep = store.tierkeep;
  for (const [tenantId, artifactId, tier] of [
    ["acme", "a.txt", "HOT"],
    ["acme", "b.txt", "WARM"],
    ["acme", "c.txt", "COLD"],
    ["zeta", "a.txt", "HOT"],
  ] as const) {
    await tierkeep.writeArtifact({
      tenantId,
      workflowId: "wf",
      artifactId,
      tier,
      content: { text: artifactId },
    });
  }
});

afterEach(() => store[Symbol.asyncDispose]());

const { signal } = new AbortController();

const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("lifecycle run", () => {
  it("shows in a dry run what would be moved and purged, and changes nothing", async () => {
    clock.advance(95);
    const output = capturedOutput();
    await expect(lifecycleRun(tierkeep, { dryRun: true }, output, signal)).resolves.toBe(0);
    expect(output.stdout.text).toMatch(
      /^Dry run over all tenants: SUCCEEDED\n.*\nwould move to warm {2}2\nwould move to cold {2}1\nwould be purged {5}1\nerrors {14}0\nduration {12}\d/,
    );
    expect(output.stdout.text).toMatch(/\nNothing was changed\.\n$/);
    expect((await tierkeep.tierStats()).map(({ artifactCount }) => artifactCount)).toEqual([2, 1, 1]);
  });

  it("moves and purges in a live run, for the given tenant and steps only", async () => {
    clock.advance(95);
    const output = capturedOutput();
    const options = { dryRun: false, tenant: "acme", steps: ["PROMOTE_TO_WARM", "PURGE"] as const };
    await expect(lifecycleRun(tierkeep, options, output, signal)).resolves.toBe(0);
    expect(output.stdout.text).toMatch(/^Run over tenant acme, only PROMOTE_TO_WARM and PURGE: SUCCEEDED\n/);
    expect((await tierkeep.tierStats()).map(({ artifactCount }) => artifactCount)).toEqual([1, 2, 0]);
  });

  it("lists each artifact with verbose", async () => {
    clock.advance(95);
    const output = capturedOutput();
    await lifecycleRun(tierkeep, { dryRun: true, verbose: true }, output, signal);
    expect(output.stdout.text.split("\n").slice(0, 5)).toEqual([
      "outcome  move           artifact          age  size",
      "PLANNED  HOT → WARM     acme/wf/a.txt    95 d   5 B",
      "PLANNED  WARM → COLD    acme/wf/b.txt    95 d   5 B",
      "PLANNED  COLD → purged  acme/wf/c.txt    95 d   5 B",
      "PLANNED  HOT → WARM     zeta/wf/a.txt    95 d   5 B",
    ]);
  });

  it("shows no table with verbose if nothing is due", async () => {
    const output = capturedOutput();
    await lifecycleRun(tierkeep, { dryRun: true, verbose: true }, output, signal);
    expect(output.stdout.text).toMatch(/^Dry run over all tenants/);
  });

  it("reads all pages, and writes a line of JSON for each artifact and the job's line last", async () => {
    await Promise.all(
      Array.from({ length: 505 }, (_, index) =>
        tierkeep.writeArtifact({
          tenantId: "many",
          workflowId: "wf",
          artifactId: `${String(index).padStart(4, "0")}.txt`,
          content: { text: "" },
        }),
      ),
    );
    clock.advance(8);
    const output = capturedOutput(true);
    await lifecycleRun(tierkeep, { dryRun: true, verbose: true, tenant: "many" }, output, signal);
    const lines = jsonLines(output.stdout.text);
    expect(lines).toHaveLength(506);
    expect(lines.at(-1)).toMatchObject({
      __typename: "LifecycleJob",
      status: "SUCCEEDED",
      promotedToWarm: 505,
    });
    expect(new Set(lines.slice(0, -1).map(({ artifactId }) => artifactId)).size).toBe(505);
  });

  describe("with confirmation", () => {
    const confirmedRun = async (
      answer: boolean,
      options: { steps?: "PROMOTE_TO_COLD"[]; tenant?: string } = {},
    ) => {
      const questions: string[] = [];
      const output = capturedOutput();
      const code = await confirmedLifecycleRun(
        tierkeep,
        { dryRun: false, ...options },
        output,
        signal,
        async (question) => {
          questions.push(question);
          return answer;
        },
      );
      const left = (await tierkeep.tierStats()).map(({ artifactCount }) => artifactCount);
      return { code, questions, left, output };
    };
    const question = "This will purge 1 artifact (5 B) permanently. Continue?";

    beforeEach(() => clock.advance(95));

    it("purges after a yes", async () => {
      const { code, questions, left } = await confirmedRun(true);
      expect({ code, questions, left }).toEqual({ code: 0, questions: [question], left: [0, 2, 1] });
    });

    it("changes nothing after a no", async () => {
      const { code, questions, left, output } = await confirmedRun(false);
      expect({ code, questions, left }).toEqual({ code: 1, questions: [question], left: [2, 1, 1] });
      expect(output.stderr.text).toBe("Nothing was changed.\n");
      expect(output.stdout.text).toBe("");
    });

    it.each([
      ["its steps do not purge", { steps: ["PROMOTE_TO_COLD" as const] }, [2, 0, 2]],
      ["its tenant has nothing to purge", { tenant: "zeta" }, [1, 2, 1]],
    ])("does not ask if %s", async (_, options, after) => {
      const { code, questions, left } = await confirmedRun(false, options);
      expect({ code, questions, left }).toEqual({ code: 0, questions: [], left: after });
    });
  });

  describe("that is still running when the server responds", () => {
    const slow = (): Tierkeep => ({
      ...tierkeep,
      async runLifecycle(args, options) {
        const begun = await tierkeep.runLifecycle({ ...args, waitSeconds: 0 }, options);
        return { ...begun, started: false };
      },
    });

    it("waits for the end, and says if another request started the run", async () => {
      const output = capturedOutput();
      await expect(lifecycleRun(slow(), { dryRun: true }, output, signal)).resolves.toBe(0);
      expect(output.stderr.text).toContain("already in progress");
      expect(output.stdout.text).toContain("SUCCEEDED");
    });

    it("says how to cancel the job when the command is interrupted", async () => {
      const output = capturedOutput();
      const waiting = lifecycleRun(slow(), { dryRun: true }, output, AbortSignal.abort());
      await expect(waiting).rejects.toThrow("aborted");
      const [newest] = (await tierkeep.lifecycleJobs({ first: 1 })).nodes;
      expect(output.stderr.text).toContain(`tierkeep jobs cancel ${newest?.id}`);
    });
  });
});

describe("lifecycle summary", () => {
  it("shows tiers, policy, tenants, the last run and the newest events", async () => {
    await tierkeep.runLifecycle({ dryRun: true });
    const output = capturedOutput();
    await expect(lifecycleSummary(tierkeep, output)).resolves.toBe(0);
    const lines = output.stdout.text.split("\n");
    expect(lines.slice(0, 5)).toEqual([
      "tier  artifacts  size  tenants  leaves after",
      "HOT           2  10 B        2           7 d",
      "WARM          1   5 B        1          30 d",
      "COLD          1   5 B        1          90 d",
      "2 tenants",
    ]);
    expect(output.stdout.text).toMatch(
      /last run\ndry run of .*: SUCCEEDED in .*; 0 to warm, 0 to cold, 0 purged, 0 errors\n/,
    );
    expect(output.stdout.text).toMatch(
      /newest events\nwhen +what +artifact +who\n.* job completed \(dry\) +lifecycle: SUCCEEDED, 0 to warm, 0 to cold, 0 purged +local\n/,
    );
  });

  it("writes one JSON document", async () => {
    const output = capturedOutput(true);
    await lifecycleSummary(tierkeep, output);
    expect(jsonLines(output.stdout.text)).toEqual([
      expect.objectContaining({
        tenantCount: 2,
        lastJob: null,
        retentionPolicy: { hotDays: 7, warmDays: 30, coldDays: 90 },
      }),
    ]);
  });
});
