import { ROLES, type Role } from "@tierkeep/schema/domain/principal";
import { hasRole, RIGHTS, type RightName } from "@tierkeep/schema/domain/rights";
import { schema } from "@tierkeep/schema/graphql/index";
import { isObjectType } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ALIKE,
  BY_ID,
  CHANGES,
  type Document,
  FOR_ADMIN,
  LISTS,
  READS,
  requiredCases,
  SAME_FOR_ALL,
  STREAMS,
  WITHIN_A_JOB,
} from "../../testing/http/access-cases.ts";
import {
  accessStore,
  anonymous,
  fill,
  fillAll,
  MINE,
  type Names,
  NONE,
  namesOfNothing,
  OTHER,
} from "../../testing/http/access-store.ts";
import type { HandlerUnderTest } from "../../testing/http/handler-under-test.ts";

/**
 * A store where MINE, OTHER and all tenants have records of every kind. Tests do not affect each other.
 */
class Matrix implements AsyncDisposable {
  readonly world: HandlerUnderTest;
  readonly mine: Names;
  readonly other: Names;
  readonly none = namesOfNothing();
  /** Responses to a reader of MINE while there was no other tenant. */
  readonly alone: ReadonlyMap<string, string>;

  private constructor(
    world: HandlerUnderTest,
    mine: Names,
    other: Names,
    alone: ReadonlyMap<string, string>,
  ) {
    this.world = world;
    this.mine = mine;
    this.other = other;
    this.alone = alone;
  }

  static async open(): Promise<Matrix> {
    const world = await accessStore();
    const mine = await fill(world, MINE);
    const alone = new Map<string, string>();
    for (const [name, document] of Object.entries(LISTS))
      alone.set(name, await answer(world, "READER", document));
    return new Matrix(world, mine, await fillAll(world, await fill(world, OTHER)), alone);
  }

  send(role: Role, path: string, init: RequestInit = {}): Promise<string> {
    return send(this.world, role, path, init);
  }

  answerTo(role: Role, document: string): Promise<string> {
    return answer(this.world, role, document);
  }

  /** Returns the response about these names, without the names. */
  async answerAbout(role: Role, document: Document, names: Names): Promise<string> {
    return anonymous(await this.answerTo(role, document(names)), names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}

/** For reads, which do not change it. */
let matrix: Matrix;
/** For changes. A dry one still writes its event or job. */
let changing: Matrix;

beforeAll(async () => {
  matrix = await Matrix.open();
  changing = await Matrix.open();
});

afterAll(async () => {
  await matrix[Symbol.asyncDispose]();
  await changing[Symbol.asyncDispose]();
});

/** Returns everything in a response that its receiver could distinguish. */
async function send(
  world: HandlerUnderTest,
  role: Role,
  path: string,
  init: RequestInit = {},
): Promise<string> {
  const headers = { ...init.headers, authorization: role, "x-request-id": "request" };
  const response = await world.request(path, { ...init, headers });
  const shown = [...response.headers].filter(([name]) => name !== "date");
  return JSON.stringify([response.status, shown, await response.text()]);
}

function answer(world: HandlerUnderTest, role: Role, query: string): Promise<string> {
  return send(world, role, "/graphql", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
}

function bodyOf(answer: string): unknown {
  const [, , body] = JSON.parse(answer) as [number, unknown, string];
  return body === "" ? {} : JSON.parse(body);
}

function codeIn(answer: string): string | null {
  const { errors } = bodyOf(answer) as { errors?: { extensions: { code: string } }[] };
  return errors?.[0]?.extensions.code ?? null;
}

function rightOf(name: string): RightName {
  const [root = "", field = ""] = name.replace(/\(.*$/, "").split(".");
  const type = root === "Query" ? schema.getQueryType() : schema.getMutationType();
  return type?.getFields()[field]?.extensions.needs as RightName;
}

it("every root field, and every argument that names something, has an expectation", () => {
  const expected = [
    ...Object.keys({ ...READS, ...CHANGES, ...FOR_ADMIN, ...LISTS }),
    ...WITHIN_A_JOB,
    ...STREAMS,
  ];
  const needed = requiredCases(schema);
  expect(needed.filter((name) => !expected.includes(name))).toEqual([]);
  // Without its optional argument, a field is a separate case.
  const fields = needed.map((name) => name.replace(/\(.*$/, ""));
  expect(expected.filter((name) => !needed.includes(name) && !fields.includes(name))).toEqual([]);
});

it("every type with global ids has a test case", async () => {
  const nodes = Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === "Node"))
    .map(({ name }) => name);
  const { other } = matrix;
  const answer = await matrix.answerTo("ADMIN", READS["Query.nodes(ids)"]?.(other) ?? "");
  for (const name of nodes) expect(answer).toContain(`\\"__typename\\":\\"${name}\\"`);
});

describe("a record of another tenant looks like a missing one", () => {
  it.each(Object.entries(READS))("%s", async (name, document) => {
    const { mine, other, none } = matrix;
    for (const role of ROLES.filter((one) => one !== "ADMIN")) {
      expect(await matrix.answerAbout(role, document, other)).toBe(
        await matrix.answerAbout(role, document, none),
      );
    }
    // Otherwise the query would not distinguish them.
    const responses = [
      await matrix.answerAbout("ADMIN", document, other),
      await matrix.answerAbout("ADMIN", document, none),
    ];
    expect(responses[0] === responses[1]).toBe(ALIKE.has(name));
    expect(await matrix.answerTo("READER", document(mine))).toBe(
      await matrix.answerTo("ADMIN", document(mine)),
    );
  });

  it.each(Object.entries(LISTS))("%s", async (name, document) => {
    expect(await matrix.answerTo("READER", document)).toBe(matrix.alone.get(name));
    if (!SAME_FOR_ALL.has(name))
      expect(await matrix.answerTo("ADMIN", document)).not.toBe(matrix.alone.get(name));
  });
});

describe("a cursor of another caller", () => {
  const lists: Record<string, string> = {
    ...Object.fromEntries(
      ["KEY", "AGE", "CREATED_AT", "MODIFIED_AT", "SIZE"].map((field) => [
        `artifacts by ${field}`,
        `artifacts(orderBy: { field: ${field} }`,
      ]),
    ),
    tenants: "tenants(first: 10",
    jobs: "jobs(first: 10",
    "lifecycle jobs": "lifecycleJobs(first: 10",
  };

  it.each(Object.entries(lists))("shows only the caller's own records: %s", async (_name, list) => {
    const page = async (role: Role, from = "") => {
      const body = bodyOf(
        await matrix.answerTo(role, `{ list: ${list} ${from}) { totalCount edges { cursor node { id } } } }`),
      );
      return (body as { data: { list: { totalCount: number; edges: { cursor: string; node: unknown }[] } } })
        .data.list;
    };
    const own = await page("READER");
    const all = await page("ADMIN");
    expect(all.edges.length).toBeGreaterThan(own.edges.length);
    for (const [index, { cursor }] of all.edges.entries()) {
      const isOwn = ({ node }: { node: unknown }) =>
        own.edges.some((edge) => JSON.stringify(edge.node) === JSON.stringify(node));
      const nodes = (edges: readonly { node: unknown }[]) => edges.map(({ node }) => node);
      const after = await page("READER", `after: "${cursor}"`);
      expect(nodes(after.edges)).toEqual(nodes(all.edges.slice(index + 1).filter(isOwn)));
      const before = await page("READER", `before: "${cursor}"`);
      expect(nodes(before.edges)).toEqual(nodes(all.edges.slice(0, index).filter(isOwn)));
      expect([after.totalCount, before.totalCount]).toEqual([own.totalCount, own.totalCount]);
    }
  });

  it("of the log is invalid if it is of an event that the caller may not see", async () => {
    const { mine, other, none } = matrix;
    for (const argument of ["after", "before"]) {
      const document: Document = ({ eventCursor }) =>
        `{ lifecycleEvents(${argument}: "${eventCursor}") { nodes { id } } }`;
      const refused = await matrix.answerAbout("READER", document, other);
      expect(codeIn(refused)).toBe("CURSOR_INVALID");
      expect(refused).toBe(await matrix.answerAbout("READER", document, none));
      expect(codeIn(await matrix.answerTo("READER", document(mine)))).toBeNull();
      expect(codeIn(await matrix.answerTo("ADMIN", document(other)))).toBeNull();
    }
  });
});

describe("rights for changes", () => {
  const cases = Object.entries(CHANGES).flatMap(([name, document]) =>
    ROLES.map((role) => ({ name, role, document })),
  );
  it.each(cases)("$role: $name", async ({ name, role, document }) => {
    const { mine, other, none } = changing;
    const [ofMine, ofOther, ofNone] = await Promise.all([
      changing.answerAbout(role, document, mine),
      changing.answerAbout(role, document, other),
      changing.answerAbout(role, document, none),
    ]);
    if (!hasRole({ actor: "", role, tenants: [] }, RIGHTS[rightOf(name)].role)) {
      expect([ofMine, ofOther, ofNone].map(codeIn)).toEqual(["FORBIDDEN", "FORBIDDEN", "FORBIDDEN"]);
      expect(ofMine).toBe(ofOther);
      expect(ofOther).toBe(ofNone);
    } else if (role === "ADMIN") {
      expect([ofMine, ofOther, ofNone].map(codeIn)).not.toContain("FORBIDDEN");
    } else {
      expect([null, "PRECONDITION_FAILED"]).toContain(codeIn(ofMine));
      expect(codeIn(ofOther)).toBe(BY_ID.has(name) ? "NOT_FOUND" : "FORBIDDEN");
      expect(ofOther).toBe(ofNone);
    }
  });

  it.each(
    Object.entries(FOR_ADMIN).flatMap(([name, document]) => ROLES.map((role) => ({ name, role, document }))),
  )("$role: $name, for all tenants", async ({ role, document }) => {
    const code = codeIn(await changing.answerTo(role, document));
    if (role === "ADMIN") expect([null, "NOT_FOUND"]).toContain(code);
    else expect(code).toBe("FORBIDDEN");
  });
});

describe("the URL of an artifact's bytes", () => {
  const url = (tenantId: string, artifactId = "b") => `/artifacts/${tenantId}/w/${artifactId}`;
  const reads: Record<string, RequestInit> = {
    GET: {},
    HEAD: { method: "HEAD" },
    "GET a range": { headers: { range: "bytes=0-1" } },
    "GET unless it is the same": { headers: { "if-none-match": "*" } },
    "GET if it is the same": { headers: { "if-match": `"${"0".repeat(64)}"` } },
  };
  it.each(Object.entries(reads))("%s", async (_name, init) => {
    for (const role of ROLES) {
      const [ofOther = "", ofNone = ""] = await Promise.all(
        [OTHER, NONE].map(async (tenantId) =>
          (await matrix.send(role, url(tenantId), init)).replaceAll(tenantId, "<tenantId>"),
        ),
      );
      expect(ofOther === ofNone).toBe(role !== "ADMIN");
      expect(ofNone).toMatch(/^\[404,/);
      expect(await matrix.send(role, url(MINE), init)).not.toMatch(/^\[404,/);
    }
  });

  it.each([
    ["PUT", {}],
    ["PUT if it is not there", { "if-none-match": "*" }],
    ["PUT if it is the same", { "if-match": `"${"0".repeat(64)}"` }],
  ])("%s", async (_name, headers) => {
    for (const role of ROLES.filter((one) => one !== "ADMIN")) {
      const put = async (tenantId: string) =>
        (await matrix.send(role, url(tenantId), { method: "PUT", body: "mine", headers })).replaceAll(
          tenantId,
          "<tenantId>",
        );
      const [ofOther, ofNone] = [await put(OTHER), await put(NONE)];
      expect(ofOther).toMatch(/^\[403,/);
      expect(ofOther).toBe(ofNone);
    }
  });

  it("PUT of an own artifact requires the right to write", async () => {
    const put = (role: Role) =>
      matrix.send(role, url(MINE), {
        method: "PUT",
        body: "",
        headers: { "if-match": `"${"0".repeat(64)}"` },
      });
    expect(await put("READER")).toMatch(/^\[403,/);
    expect(await put("WRITER")).toMatch(/^\[412,/);
  });

  it("the metrics require access to all tenants", async () => {
    for (const role of ROLES)
      expect(await matrix.send(role, "/metrics")).toMatch(role === "ADMIN" ? /^\[200,/ : /^\[403,/);
  });

  it("PUT is refused before its body is read", async () => {
    let isRead = false;
    const body = new ReadableStream(
      {
        pull(controller) {
          isRead = true;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    expect(await matrix.send("WRITER", url(OTHER), { method: "PUT", body })).toMatch(/^\[403,/);
    expect(isRead).toBe(false);
  });
});
