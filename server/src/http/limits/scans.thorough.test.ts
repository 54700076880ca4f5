import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";

const ADMIN: Principal = { actor: "admin", role: "ADMIN", tenants: null };
const ROWS = 3_000;
const MAX_ROWS = 2 * ROWS;

let world: HandlerUnderTest;

beforeAll(async () => {
  world = await handlerUnderTest({
    limits: { document: { ...DEFAULT_LIMITS.document, maxScannedRows: MAX_ROWS } },
  });
  const names = Array.from({ length: ROWS }, (_, index) => String(index));
  await Promise.all(
    names.map((artifactId) =>
      world.services.artifacts.write(
        ADMIN,
        {
          tenantId: "t",
          workflowId: "w",
          artifactId,
          tier: "HOT",
          contentType: null,
          metadata: { artifactId },
        },
        new Uint8Array(),
      ),
    ),
  );
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const filtered = (alias: string) =>
  `${alias}: artifacts(where: { tenantId: "t", metadata: { none: 1 } }) { totalCount nodes { id } }`;

async function run(query: string) {
  return (await (await world.graphql(query)).json()) as {
    data: Record<string, { totalCount: number }> | null;
    errors?: { message: string; extensions: { code: string } }[];
  };
}

describe("rows that filters scan", () => {
  it("may be all rows for one list with its count, even over MAX_SCANNED_ROWS", async () => {
    const { data, errors } = await run(
      `{ artifacts(where: { tenantId: "t", metadata: { artifactId: "7" } }) { totalCount nodes { id } } }`,
    );
    expect(errors).toBeUndefined();
    expect(data?.artifacts?.totalCount).toBe(1);
  });

  it("are QUERY_TOO_COMPLEX for 20 lists, with one error", async () => {
    const aliases = Array.from({ length: 20 }, (_, index) => filtered(`a${index}`));
    const { data, errors } = await run(`{ ${aliases.join(" ")} }`);
    expect(data).toBeNull();
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["QUERY_TOO_COMPLEX"]);
  });

  it("are not counted if an index finds them", async () => {
    const aliases = Array.from({ length: 20 }, (_, index) => `a${index}: artifacts(first: 1) { totalCount }`);
    expect((await run(`{ ${aliases.join(" ")} }`)).errors).toBeUndefined();
  });
});

describe("a client that disconnects", () => {
  it("ends its scan, and waiting ones do not start", async () => {
    const gone = new AbortController();
    const body = JSON.stringify({ query: `{ ${filtered("a")} ${filtered("b")} }` });
    const requests = Array.from({ length: 20 }, () =>
      world.request("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal: gone.signal,
      }),
    );
    gone.abort();
    const answers = await Promise.all(requests.map(async (response) => (await response).text()));
    expect(answers.filter((text) => text.includes('"totalCount"'))).toEqual([]);
    expect(world.logged.filter(({ msg }) => msg === "internal error")).toEqual([]);
  });
});
