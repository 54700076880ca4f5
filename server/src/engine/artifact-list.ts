import { ageSinceBefore } from "@tierkeep/schema/domain/ages";
import type { Page, PageRequest } from "@tierkeep/schema/domain/pages";
import type {
  Artifact,
  ArtifactFilter,
  ArtifactOrder,
  ArtifactOrderField,
} from "@tierkeep/schema/services/artifacts";
import type { ArtifactPosition, ArtifactSelection, Catalog } from "../catalog/catalog.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import { connectionPage } from "./connection-page.ts";
import { artifactPositions, keysetCursors } from "./keyset-cursor.ts";

/** What a filter selects at `now`, ms since the epoch. */
export function selectionOf(filter: ArtifactFilter, now: number): ArtifactSelection {
  const { olderThanDays, asOf, ...rest } = filter;
  return olderThanDays === undefined
    ? rest
    : { ...rest, ageSinceBefore: ageSinceBefore(olderThanDays, asOf ?? now) };
}

/** One page. A filter by age without `asOf` is judged anew for each page. @throws Refused CURSOR_INVALID */
export function listArtifacts(
  catalog: Catalog,
  now: number,
  filter: ArtifactFilter,
  order: ArtifactOrder,
  page: PageRequest,
): Promise<Page<Artifact>> {
  const selection = selectionOf(filter, now);
  return connectionPage<ArtifactRow, ArtifactPosition, Artifact>(page, {
    cursors: keysetCursors({ list: "artifacts", order, filter }, artifactPositions(order.field)),
    list: (stretch) => catalog.listArtifacts(selection, order, stretch),
    positionOf: POSITIONS[order.field],
    nodeOf: (row) => row,
    count: () => catalog.countArtifacts(selection),
    indexed: isIndexed(filter, order.field),
  });
}

const POSITIONS: Record<ArtifactOrderField, (row: ArtifactRow) => ArtifactPosition> = {
  KEY: ({ tenantId, workflowId, artifactId }) => ({ key: { tenantId, workflowId, artifactId } }),
  AGE: ({ ageSince, row }) => ({ value: ageSince, row }),
  CREATED_AT: ({ createdAt, row }) => ({ value: createdAt, row }),
  MODIFIED_AT: ({ modifiedAt, row }) => ({ value: modifiedAt, row }),
  SIZE: ({ sizeBytes, row }) => ({ value: sizeBytes, row }),
};

/** The cases that catalog.ts promises to find without a scan. */
function isIndexed(filter: ArtifactFilter, field: ArtifactOrderField): boolean {
  if (filter.metadata !== undefined) return false;
  if (filter.workflowId !== undefined && (filter.tenantId === undefined || field === "AGE")) return false;
  if (field === "KEY") return filter.tiers === undefined && filter.olderThanDays === undefined;
  return field === "AGE" && filter.artifactIdPrefix === undefined;
}
