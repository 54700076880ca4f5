import type { LifecycleEventType } from "@tierkeep/schema/domain/events";
import type { StoreFinding, StoreFindingKind } from "@tierkeep/schema/domain/findings";
import type { ChangeType, Found } from "../change-type.ts";
import type { Effect, EventDraft, Ref } from "../records.ts";
import type { CorrectUsageChange, QuarantineChange, ReportChange } from "../upkeep-changes.ts";
import { eventOf } from "./event-of.ts";

export const report: ChangeType<ReportChange, number> = {
  grows: false,

  refs: ({ findings }) => markRefs(findings.map(findingMark)),

  decide(change, found) {
    const { effects, unreported } = mark(found, change.findings, findingMark);
    return {
      effects: [...effects, ...unreported.map((finding) => logged(finding, change))],
      result: unreported.length,
    };
  },
};

export const quarantine: ChangeType<QuarantineChange, null> = {
  grows: false,

  refs: ({ jobId, findings }) => markRefs(findings.map(quarantineMark(jobId))),

  decide(change, found) {
    const { jobId, findings } = change;
    const { effects, unreported } = mark(found, findings, quarantineMark(jobId));
    const ofJob: readonly Effect[] = [
      ...unreported.map((value): Effect => ({ append: "finding", key: jobId, value })),
      { add: "jobCounts", key: jobId, by: { quarantined: unreported.length } },
    ];
    return {
      effects: [
        ...effects,
        ...unreported.map((finding) => logged(finding, change)),
        ...(unreported.length > 0 ? ofJob : []),
      ],
      result: null,
    };
  },
};

export const correctUsage: ChangeType<CorrectUsageChange, null> = {
  grows: false,

  refs: () => [],

  decide(change) {
    const { jobId, miscount, finding } = change;
    return {
      effects: [
        { add: "correction", key: miscount, by: miscount.counters },
        { append: "event", value: findingEvent(finding, change) },
        { append: "finding", key: jobId, value: finding },
        // It is reported again if the counters become wrong again.
        { delete: "reported", key: findingMark({ ...finding, kind: "MISCOUNTED" }) },
      ],
      result: null,
    };
  },
};

/** Returns the event of a finding that is not logged yet. */
function findingEvent(
  finding: StoreFinding,
  change: Pick<ReportChange, "at" | "actor" | "jobId">,
): EventDraft {
  return eventOf(TYPES[finding.kind] ?? "SCAN_ERROR", change, {
    tenantId: finding.tenantId,
    workflowId: finding.workflowId,
    artifactId: finding.artifactId,
    fromTier: finding.tier,
    jobId: change.jobId,
    error: finding.message,
  });
}

/** Identifies a finding: by its path or, where it has none, by its tenant or workflow. */
function findingMark({ kind, path, tenantId, workflowId }: StoreFinding): string {
  return `${kind} ${path ?? [tenantId, workflowId].filter((name) => name !== null).join("/")}`;
}

const TYPES: Partial<Record<StoreFindingKind, LifecycleEventType>> = {
  QUARANTINED: "STRAY_QUARANTINED",
  RECOUNTED: "COUNTERS_RECOUNTED",
};

const quarantineMark =
  (jobId: string) =>
  ({ path }: StoreFinding) =>
    `QUARANTINED ${jobId} ${path}`;

function markRefs(marks: readonly string[]): readonly Ref[] {
  return [["scrub", ""], ...marks.map((text) => ["reported", text] as const)];
}

/** Marks findings as reported in the current pass. Returns those that were not marked, each once. */
function mark(found: Found, findings: readonly StoreFinding[], markOf: (finding: StoreFinding) => string) {
  const pass = found.get("scrub", "")?.pass ?? 1;
  const byMark = new Map(findings.toReversed().map((finding) => [markOf(finding), finding]));
  const effects = [...byMark.keys()].map((key): Effect => ({ put: "reported", key, value: { pass } }));
  const isNew = (finding: StoreFinding) =>
    byMark.get(markOf(finding)) === finding && found.get("reported", markOf(finding)) === null;
  return { effects, unreported: findings.filter(isNew) };
}

function logged(finding: StoreFinding, change: Parameters<typeof findingEvent>[1]): Effect {
  return { append: "event", value: findingEvent(finding, change) };
}
