import { ageSinceBefore } from "@tierkeep/schema/domain/ages";
import { keyOf } from "@tierkeep/schema/domain/keys";
import type { Page, PageRequest } from "@tierkeep/schema/domain/pages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type {
  Artifact,
  ArtifactFilter,
  ArtifactOrder,
  ArtifactOrderField,
  FolderEntry,
  FolderPage,
} from "@tierkeep/schema/services/artifacts";
import { type ReadTerms, UNLIMITED } from "@tierkeep/schema/services/read-terms";
import type { WorkflowName } from "@tierkeep/schema/services/tenants";
import type {
  ArtifactPosition,
  ArtifactSelection,
  Catalog,
  FolderRow,
  TenantScope,
} from "../catalog/catalog.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import { connectionPage } from "./connection-page.ts";
import { artifactPositions, keysetCursors, namePositions } from "./keyset-cursor.ts";
import type { SealedNumbers } from "./sealed-number.ts";
import { scanOwner, scoped } from "./tenant-scope.ts";

/** Returns the selection of a filter at `now`, in ms since the epoch. */
function selectionOf(filter: ArtifactFilter & TenantScope, now: number): ArtifactSelection {
  const { olderThanDays, asOf, ...rest } = filter;
  return olderThanDays === undefined
    ? rest
    : { ...rest, ageSinceBefore: ageSinceBefore(olderThanDays, asOf ?? now) };
}

/**
 * Returns one page of the artifacts that the principal may see. A filter by age without `asOf` uses the
 * current time for each page.
 * @throws Refused CURSOR_INVALID
 */
export function listArtifacts(
  { catalog, rows }: { readonly catalog: Catalog; readonly rows: SealedNumbers },
  now: number,
  principal: Principal,
  filter: ArtifactFilter,
  order: ArtifactOrder,
  page: PageRequest,
  given: ReadTerms = UNLIMITED,
): Promise<Page<Artifact>> {
  const terms = { ...given, owner: scanOwner(principal) };
  const selection = selectionOf(scoped(principal, filter), now);
  return connectionPage<ArtifactRow, ArtifactPosition, Artifact>(page, {
    cursors: keysetCursors({ list: "artifacts", order, filter }, artifactPositions(order.field, rows)),
    list: (window) => catalog.listArtifacts(selection, order, window, terms),
    positionOf: POSITIONS[order.field],
    nodeOf: (row) => row,
    count: () => catalog.countArtifacts(selection, terms),
    indexed: isIndexed(selection, order.field),
  });
}

const POSITIONS: Record<ArtifactOrderField, (row: ArtifactRow) => ArtifactPosition> = {
  KEY: (row) => ({ key: keyOf(row) }),
  AGE: ({ ageSince, row }) => ({ value: ageSince, row }),
  CREATED_AT: ({ createdAt, row }) => ({ value: createdAt, row }),
  MODIFIED_AT: ({ modifiedAt, row }) => ({ value: modifiedAt, row }),
  SIZE: ({ sizeBytes, row }) => ({ value: sizeBytes, row }),
};

/** Returns whether the catalog finds the rows without a scan, as catalog.ts promises. */
function isIndexed(selection: ArtifactSelection, field: ArtifactOrderField): boolean {
  const { tenantId, tenants, workflowId, tiers, ageSinceBefore, artifactIdPrefix, metadata } = selection;
  if (metadata !== undefined) return false;
  const isOfAll = tenantId === undefined && tenants === undefined;
  if (workflowId !== undefined && (isOfAll || field === "AGE")) return false;
  if (field === "KEY") return tiers === undefined && ageSinceBefore === undefined;
  return field === "AGE" && artifactIdPrefix === undefined;
}

/** Returns one page of a folder. @throws Refused CURSOR_INVALID */
export async function listFolder(
  catalog: Catalog,
  workflow: WorkflowName,
  prefix: string,
  { limit, after }: Pick<PageRequest, "limit" | "after">,
): Promise<FolderPage> {
  return connectionPage<FolderRow, string, FolderEntry>(
    { limit, after, before: null, backward: false },
    {
      cursors: keysetCursors({ list: "folder", filter: { ...workflow, prefix } }, namePositions),
      list: (window) => catalog.listFolder(workflow, prefix, window),
      positionOf: (row) => ("artifact" in row ? row.artifact.artifactId : row.folder),
      nodeOf: (row) =>
        "artifact" in row ? row.artifact : { name: row.folder.slice(prefix.length, -1), prefix: row.folder },
      // A folder is not counted, and is read forward only.
      count: async () => 0,
      indexed: false,
    },
  );
}
