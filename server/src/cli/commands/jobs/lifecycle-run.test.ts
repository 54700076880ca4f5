import type { LifecycleJob } from "@tierkeep/sdk";
import { expect, it } from "vitest";
import { exitCodeOf } from "./lifecycle-run.ts";

it.each([
  [{ status: "SUCCEEDED", totalErrors: 0 }, 0],
  [{ status: "SUCCEEDED", totalErrors: 1 }, 1],
  [{ status: "FAILED", totalErrors: 0 }, 1],
  [{ status: "CANCELLED", totalErrors: 0 }, 4],
  [{ status: "BLOCKED", totalErrors: 0 }, 6],
  [{ status: "FROM_THE_FUTURE", totalErrors: 0 }, 1],
])("exitCodeOf returns for the job %j exit code %i", (job, exitCode) => {
  expect(exitCodeOf(job as LifecycleJob)).toBe(exitCode);
});
