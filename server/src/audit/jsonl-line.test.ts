import { describe, expect, it } from "vitest";
import { jsonlLine } from "./jsonl-line.ts";

describe("a line of the audit log", () => {
  it("holds every key, in one order, as the old system named them", () => {
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

  it("stays one line whatever an error says", () => {
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
