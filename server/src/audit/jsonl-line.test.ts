import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import { jobGlobalId } from "@tierkeep/schema/domain/jobs";
import { describe, expect, it } from "vitest";
import { jsonlLine } from "./jsonl-line.ts";

const STARTED: LifecycleEvent = {
  seq: 1,
  timestamp: 0,
  type: "LIFECYCLE_JOB_STARTED",
  actor: "ann",
  tenantId: null,
  workflowId: null,
  artifactId: null,
  fromTier: null,
  toTier: null,
  ageDays: null,
  sizeBytes: null,
  checksum: null,
  dryRun: false,
  jobId: "ab".repeat(16),
  errorCode: null,
  error: null,
};

describe("jsonlLine", () => {
  it("has every key in a fixed order, with the names of the old system", () => {
    const line = jsonlLine(
      {
        seq: 42,
        timestamp: Date.UTC(2026, 0, 15, 10, 30),
        type: "PROMOTED_TO_WARM",
        actor: "schedule",
        tenantId: "acme_corp",
        workflowId: "weekly_report",
        artifactId: "report.md",
        fromTier: "HOT",
        toTier: "WARM",
        ageDays: 8.5,
        sizeBytes: 1234,
        checksum: "ab".repeat(32),
        dryRun: false,
        jobId: "j1",
        errorCode: null,
        error: null,
      },
      { segment: 3, prev: "cd".repeat(32) },
    );
    expect(line).toBe(
      `{"seq":42,"timestamp":"2026-01-15T10:30:00.000Z","event_type":"promoted_to_warm","tenant_id":"acme_corp",` +
        `"workflow_id":"weekly_report","artifact_id":"report.md","from_tier":"HOT","to_tier":"WARM","age_days":8.5,` +
        `"size_bytes":1234,"checksum":"${"ab".repeat(32)}","dry_run":false,"actor":"schedule","job_id":"j1",` +
        `"error_code":null,"error":null,"segment":3,"prev":"${"cd".repeat(32)}"}\n`,
    );
  });

  it("describes a job in the event that ends it, with the id that the API accepts", () => {
    const line = jsonlLine(
      {
        ...STARTED,
        type: "LIFECYCLE_JOB_COMPLETED",
        job: {
          kind: "lifecycle",
          status: "SUCCEEDED",
          asOf: Date.UTC(2099, 0, 1),
          steps: ["PURGE"],
          retentionPolicy: { hotDays: 7, warmDays: 30, coldDays: null },
          counts: { promotedToWarm: 1, promotedToCold: 2, purged: 3, totalErrors: 0 },
          durationSeconds: 1.5,
        },
      },
      { segment: null, prev: null },
    );
    expect(line).toBe(
      `{"seq":1,"timestamp":"1970-01-01T00:00:00.000Z","event_type":"lifecycle_job_completed","tenant_id":null,` +
        `"workflow_id":null,"artifact_id":null,"from_tier":null,"to_tier":null,"age_days":null,"size_bytes":null,` +
        `"checksum":null,"dry_run":false,"actor":"ann","job_id":"${"ab".repeat(16)}","error_code":null,"error":null,` +
        `"job":{"id":"${jobGlobalId("ab".repeat(16))}","kind":"lifecycle","status":"SUCCEEDED",` +
        `"as_of":"2099-01-01T00:00:00.000Z","steps":["PURGE"],` +
        `"policy":{"hot_days":7,"warm_days":30,"cold_days":null},"to_tier":null,"repair":null,` +
        `"counts":{"promoted_to_warm":1,"promoted_to_cold":2,"purged":3,"total_errors":0},"duration_seconds":1.5},` +
        `"prev":null}\n`,
    );
  });

  it("equals the line of earlier versions if the event records no job", () => {
    expect(jsonlLine(STARTED, { segment: null, prev: null })).toBe(
      `{"seq":1,"timestamp":"1970-01-01T00:00:00.000Z","event_type":"lifecycle_job_started","tenant_id":null,` +
        `"workflow_id":null,"artifact_id":null,"from_tier":null,"to_tier":null,"age_days":null,"size_bytes":null,` +
        `"checksum":null,"dry_run":false,"actor":"ann","job_id":"${"ab".repeat(16)}","error_code":null,"error":null,` +
        `"prev":null}\n`,
    );
  });

  it("is a single line for any error text", () => {
    const line = jsonlLine(
      {
        seq: 1,
        timestamp: 0,
        type: "SCAN_ERROR",
        actor: "system",
        tenantId: null,
        workflowId: null,
        artifactId: null,
        fromTier: null,
        toTier: null,
        ageDays: null,
        sizeBytes: null,
        checksum: null,
        dryRun: true,
        jobId: null,
        errorCode: "CHECKSUM_MISMATCH",
        error: 'two\nlines, "quotes" and \ud800 alone',
      },
      { segment: null, prev: null },
    );
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(JSON.parse(line)).toMatchObject({
      seq: 1,
      tenant_id: null,
      dry_run: true,
      error_code: "CHECKSUM_MISMATCH",
      error: 'two\nlines, "quotes" and \ud800 alone',
    });
  });
});
