import { TIERS } from "@tierkeep/schema/domain/tiers";
import { ARTIFACT_ORDER_FIELDS, type ArtifactOrder } from "@tierkeep/schema/services/artifacts";
import { describe, expect, it } from "vitest";
import type {
  ArtifactPosition,
  ArtifactSelection,
  Catalog,
  EventSelection,
  PageWindow,
} from "../../src/catalog/catalog.ts";
import type { ArtifactRow } from "../../src/catalog/rows.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  finish,
  lifecycleJob,
  move,
  NOW,
  purge,
  scanEvent,
  startJob,
  whole,
  write,
} from "./sample-changes.ts";

/**
 * In no order. Includes a tenant that never existed, one without artifacts and one that only the log
 * mentions.
 */
const TENANTS = ["c", "🎼", "never", "a", "left", "heard"];

const SELECTIONS: readonly ArtifactSelection[] = [
  {},
  { workflowId: "w1" },
  { tiers: ["HOT", "COLD"] },
  { ageSinceBefore: NOW + 4 },
  { tiers: ["HOT"], ageSinceBefore: NOW + 4 },
  { artifactIdPrefix: "a1" },
  { workflowId: "w0", artifactIdPrefix: "a1" },
  { metadata: { kind: "odd" } },
];

const ORDERS = ARTIFACT_ORDER_FIELDS.flatMap((field): ArtifactOrder[] => [
  { field, direction: "ASC" },
  { field, direction: "DESC" },
]);

async function fill(catalog: Catalog): Promise<void> {
  const names = ["a", "b", "c", "d", "\uff5e", "🎼"];
  await catalog.commitAll(
    Array.from({ length: 60 }, (_, n) =>
      write(`${names[n % names.length]}/w${n % 4}/a${n}`, {
        at: NOW + (n % 7),
        text: "x".repeat(n % 5),
        tier: TIERS[n % 3] ?? "HOT",
        metadata: n % 2 === 1 ? { kind: "odd" } : {},
      }),
    ),
  );
  await catalog.commitAll([write("left/w/1"), purge("left/w/1"), move("b/w1/a1", "HOT")]);
  await catalog.commit(scanEvent({ tenantId: "heard" }));
  await catalog.commit(scanEvent({ tenantId: null }));
}

function positionOf({ field }: ArtifactOrder, row: ArtifactRow): ArtifactPosition {
  const { tenantId, workflowId, artifactId } = row;
  if (field === "KEY") return { key: { tenantId, workflowId, artifactId } };
  const values = {
    AGE: row.ageSince,
    CREATED_AT: row.createdAt,
    MODIFIED_AT: row.modifiedAt,
    SIZE: row.sizeBytes,
  };
  return { value: values[field], row: row.row };
}

/** Returns a complete list, read `limit` rows at a time from either end. */
async function paged<Row, Position>(
  list: (window: PageWindow<Position>) => Promise<readonly Row[]>,
  position: (row: Row) => Position,
  backward: boolean,
  limit: number,
): Promise<readonly Row[]> {
  let rows: readonly Row[] = [];
  for (;;) {
    const edge = backward ? rows[0] : rows.at(-1);
    const at = edge === undefined ? null : position(edge);
    const page = await list({ after: backward ? null : at, before: backward ? at : null, limit, backward });
    rows = backward ? [...page, ...rows] : [...rows, ...page];
    if (page.length < limit) return rows;
  }
}

/** Reads with a tenant scope return what unscoped reads do, without the rows of other tenants. */
export function narrowing(open: OpenForTest) {
  const isInScope = (one: { readonly tenantId: string | null }) =>
    one.tenantId !== null && TENANTS.includes(one.tenantId);

  describe("reads with a tenant scope", () => {
    it("list and count artifacts in every order, with every filter, page by page", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await fill(catalog);
      for (const selection of SELECTIONS) {
        for (const order of ORDERS) {
          const expected = (await catalog.listArtifacts(selection, order, whole())).filter(isInScope);
          expect(expected.length).toBeGreaterThan(0);
          const narrowed = { ...selection, tenants: TENANTS };
          const list = (window: PageWindow<ArtifactPosition>) =>
            catalog.listArtifacts(narrowed, order, window);
          const position = (row: ArtifactRow) => positionOf(order, row);
          expect(await list(whole())).toEqual(expected);
          expect(await paged(list, position, false, 13)).toEqual(expected);
          expect(await paged(list, position, true, 13)).toEqual(expected);
        }
        const all = await catalog.listArtifacts(selection, { field: "KEY", direction: "ASC" }, whole());
        expect(await catalog.countArtifacts({ ...selection, tenants: TENANTS })).toBe(
          all.filter(isInScope).length,
        );
      }
    });

    it("continue from a position of another tenant, without returning it", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await fill(catalog);
      for (const order of ORDERS) {
        const everything = await catalog.listArtifacts({}, order, whole());
        const middle = everything.findIndex(({ tenantId }, n) => n > 9 && tenantId === "b");
        const at = positionOf(order, everything[middle] as ArtifactRow);
        const window = { ...whole<ArtifactPosition>(), after: at };
        expect(await catalog.listArtifacts({ tenants: ["c", "a"] }, order, window)).toEqual(
          everything.slice(middle + 1).filter(({ tenantId }) => tenantId === "a" || tenantId === "c"),
        );
      }
    });

    it("return nothing for an empty scope", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await fill(catalog);
      await catalog.commit(startJob(lifecycleJob({ tenantId: "a", dryRun: true })));
      const tenants: string[] = [];
      for (const order of ORDERS) {
        for (const selection of SELECTIONS)
          expect(await catalog.listArtifacts({ ...selection, tenants }, order, whole())).toEqual([]);
      }
      for (const selection of SELECTIONS)
        expect(await catalog.countArtifacts({ ...selection, tenants })).toBe(0);
      expect(await catalog.listTenants(null, whole(), { tenants })).toEqual([]);
      expect(await catalog.countTenants("HOT", { tenants })).toBe(0);
      expect(await catalog.listEvents({ tenants }, "DESC", whole())).toEqual([]);
      expect(await catalog.countEvents({ tenants })).toBe(0);
      expect((await catalog.eventsAfter({ tenants }, 0, 9)).events).toEqual([]);
      expect(await catalog.lastSeq({ tenants })).toBe(0);
      expect(await catalog.listJobs({ tenants }, whole())).toEqual([]);
      expect(await catalog.countJobs({ tenants })).toBe(0);
      expect(await catalog.lastFinishedLifecycleJob(null, { tenants })).toBeNull();
    });

    it("list and count the existing tenants in order of names", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await fill(catalog);
      const among = { tenants: TENANTS };
      expect(await catalog.listTenants(null, whole(), among)).toEqual(["a", "c", "left", "🎼"]);
      expect(await catalog.countTenants(null, among)).toBe(4);
      for (const tier of TIERS) {
        const expected = (await catalog.listTenants(tier, whole())).filter((name) => TENANTS.includes(name));
        expect(await catalog.listTenants(tier, whole(), among)).toEqual(expected);
        expect(await catalog.countTenants(tier, among)).toBe(expected.length);
      }
      const between = { after: "a", before: "🎼", limit: 1, backward: false };
      expect(await catalog.listTenants(null, between, among)).toEqual(["c"]);
      expect(await catalog.listTenants(null, { ...between, backward: true }, among)).toEqual(["left"]);
    });

    it("list, count and follow events, without those of no tenant", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await fill(catalog);
      const filters: readonly EventSelection[] = [
        {},
        { types: ["ARTIFACT_WRITTEN"] },
        { workflowId: "w1" },
        { since: NOW + 2 },
      ];
      for (const filter of filters) {
        const narrowed = { ...filter, tenants: TENANTS };
        for (const direction of ["ASC", "DESC"] as const) {
          const expected = (await catalog.listEvents(filter, direction, whole())).filter(isInScope);
          expect(expected.length).toBeGreaterThan(0);
          const list = (window: PageWindow<number>) => catalog.listEvents(narrowed, direction, window);
          expect(await list(whole())).toEqual(expected);
          expect(await paged(list, ({ seq }) => seq, false, 4)).toEqual(expected);
          expect(await paged(list, ({ seq }) => seq, true, 4)).toEqual(expected);
          expect(await catalog.countEvents(narrowed)).toBe(expected.length);
        }
        const followed = [];
        for (let seq = 0; ; ) {
          const { events, scannedTo } = await catalog.eventsAfter(narrowed, seq, 4);
          followed.push(...events);
          if (scannedTo === seq) break;
          seq = scannedTo;
        }
        expect(followed).toEqual((await catalog.listEvents(filter, "ASC", whole())).filter(isInScope));
      }
      const [newest] = (await catalog.listEvents({}, "DESC", whole())).filter(isInScope);
      expect(await catalog.lastSeq({ tenants: TENANTS })).toBe(newest?.seq);
      expect(await catalog.lastSeq({ tenants: ["never"] })).toBe(0);
    });

    it("list and count lifecycle jobs, without those over all tenants", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const owners = ["a", "b", null, "c", null, "a"];
      const jobs = owners.map((tenantId, n) => lifecycleJob({ tenantId, dryRun: true, startedAt: NOW + n }));
      await catalog.commitAll(jobs.map((job) => startJob(job)));
      await catalog.commitAll(jobs.map((job, n) => finish(job.id, { at: NOW + 100 + n })));
      const among = { tenants: ["c", "b", "never"] };
      const listed = await catalog.listJobs(among, whole());
      expect(listed.map(({ id }) => id)).toEqual([jobs[3]?.id, jobs[1]?.id]);
      expect(await catalog.countJobs(among)).toBe(2);
      expect((await catalog.lastFinishedLifecycleJob(null, among))?.id).toBe(jobs[3]?.id);
      expect((await catalog.lastFinishedLifecycleJob(true, { tenants: ["b"] }))?.id).toBe(jobs[1]?.id);
      expect(await catalog.lastFinishedLifecycleJob(false, among)).toBeNull();
      const [, oldest] = listed;
      const after = { startedAt: NOW + 2, id: "" };
      const beyond = { ...whole<typeof after>(), after };
      expect(await catalog.listJobs(among, beyond)).toEqual([oldest]);
    });
  });
}
