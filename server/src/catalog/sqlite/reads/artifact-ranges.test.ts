import { describe, expect, it } from "vitest";
import { key, move, path, purge, write } from "../../../../testing/catalog/sample-changes.ts";
import { tempDir } from "../../../../testing/sqlite/temp-dir.ts";
import { Connection } from "../connection.ts";
import { ARTIFACT_COLUMNS, artifactRow } from "../rows/artifact-row.ts";
import { SqliteWriter } from "../writes/writer.ts";
import { type ArtifactRange, keyRanges, rowRanges } from "./artifact-ranges.ts";

const PATHS = ["a/v/1", "a/v/2", "a/v/3", "a/v/4", "a/w/1", "b/w/1", "b/w/2", "c/x/1"];

/** Returns the contents of each range, on a catalog with PATHS and some artifacts that were deleted. */
function withCatalog(
  test: (
    contents: (ranges: (connection: Connection) => Iterable<ArtifactRange>) => readonly string[][],
  ) => void,
) {
  using folder = tempDir();
  const file = folder.file("catalog.db");
  const writer = new SqliteWriter({ path: file, durability: "os" });
  writer.run([...PATHS.map((to) => write(to)), write("b/gone/1"), write("gone/w/1")]);
  writer.run([purge("b/gone/1"), purge("gone/w/1"), move("a/v/2", "COLD")]);
  const connection = new Connection({ path: file, durability: "os", cacheKiB: 1024, readOnly: true });
  try {
    test((ranges) =>
      [...ranges(connection)].map(({ condition, parameters }) =>
        connection
          .statement(
            `SELECT ${ARTIFACT_COLUMNS} FROM artifact a JOIN workflow w ON w.id = a.workflow JOIN tenant t ON t.id = w.tenant
             WHERE ${condition} ORDER BY a.name`,
          )
          .all(...parameters)
          .map((cells) => path(artifactRow(cells))),
      ),
    );
  } finally {
    connection.close();
    writer.close();
  }
}

describe("ranges of artifacts", () => {
  it("cover every artifact once, whatever their size", () => {
    withCatalog((contents) => {
      for (const size of [1, 2, 3, 100]) {
        expect(
          contents((connection) => rowRanges(connection, () => size))
            .flat()
            .toSorted(),
        ).toEqual(PATHS);
        expect(contents((connection) => keyRanges(connection, {}, null, false, () => size)).flat()).toEqual(
          PATHS,
        );
        expect(
          contents((connection) => keyRanges(connection, {}, null, false, () => size)).every(
            (names) => names.length <= size,
          ),
        ).toBe(true);
      }
    });
  });

  it("follow KEY order or its reverse, from a position that need not exist", () => {
    withCatalog((contents) => {
      const from = (at: string, backward: boolean, scope = {}) =>
        contents((connection) => keyRanges(connection, scope, key(at), backward, () => 2)).flatMap((names) =>
          backward ? names.toReversed() : names,
        );
      expect(from("a/v/2", false)).toEqual(PATHS.slice(2));
      expect(from("a/v/2", true)).toEqual(["a/v/1"]);
      expect(from("a/vv/0", false)).toEqual(PATHS.slice(4));
      expect(from("bb/w/0", true)).toEqual(PATHS.slice(0, 7).toReversed());
      expect(from("a/v/3", false, { tenantId: "a" })).toEqual(["a/v/4", "a/w/1"]);
      expect(from("a/v/3", true, { tenantId: "a", workflowId: "v" })).toEqual(["a/v/2", "a/v/1"]);
      expect(from("a/v/3", false, { workflowId: "w" })).toEqual(["a/w/1", "b/w/1", "b/w/2"]);
    });
  });
});
