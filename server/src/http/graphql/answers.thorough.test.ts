import { once } from "node:events";
import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";

const ADMIN: Principal = { actor: "admin", role: "ADMIN", tenants: null };
const MiB = 2 ** 20;
const MAX_BYTES = 4 * MiB;
/** Slightly less than the 64 KiB limit of metadata. */
const METADATA = { list: Array(30_000).fill(1), 'quote "': "é\u2028", nested: { data: [null, true] } };

let world: HandlerUnderTest;

beforeAll(async () => {
  world = await handlerUnderTest({
    maxInlineBytes: 2 * MiB,
    limits: { document: { ...DEFAULT_LIMITS.document, maxResponseBytes: MAX_BYTES } },
  });
  const key = (artifactId: string) => ({ tenantId: "t", workflowId: "w", artifactId });
  const rest = { tier: "HOT", contentType: null } as const;
  for (let index = 0; index < 100; index += 1) {
    const options = { ...key(String(index)), ...rest, metadata: METADATA };
    await world.services.artifacts.write(ADMIN, options, new Uint8Array());
  }
  const zeros = { ...key("zeros"), ...rest, metadata: {} };
  await world.services.artifacts.write(ADMIN, zeros, new Uint8Array(2 * MiB));
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

interface Answer {
  readonly data: Record<string, { nodes: Record<string, unknown>[] }> | null;
  readonly errors?: { readonly message: string; readonly extensions: { readonly code: string } }[];
}

const PATHS: Record<string, (query: string) => Promise<string>> = {
  POST: async (query) => (await world.graphql(query)).text(),
  GET: async (query) => (await world.request(`/graphql?query=${encodeURIComponent(query)}`)).text(),
  "server-sent events": async (query) => {
    const text = await (await world.graphql(query, {}, { accept: "text/event-stream" })).text();
    return /^data: (\{[^\n]*)$/m.exec(text)?.[1] ?? text;
  },
  WebSocket: async (query) => {
    const { url } = await world.listen();
    const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws");
    await once(socket, "open");
    socket.send('{"type":"connection_init"}');
    await once(socket, "message");
    socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query } }));
    const [message] = (await once(socket, "message")) as [Buffer];
    socket.terminate();
    const { type, payload } = JSON.parse(String(message)) as { type: string; payload: unknown };
    return JSON.stringify(type === "next" ? payload : { errors: payload });
  },
};

const codes = ({ errors = [] }: Answer) => errors.map(({ extensions }) => extensions.code);
const page = (first: number, fields = "artifactId metadata") =>
  `artifacts(first: ${first}, where: { workflowId: "w", tenantId: "t" }) { nodes { ${fields} } }`;

describe.each(Object.keys(PATHS))("a response over %s", (path) => {
  const send = async (query: string): Promise<Answer> =>
    JSON.parse(await (PATHS[path] as (typeof PATHS)[string])(query));

  it("contains large metadata as it was written", async () => {
    const { data, errors } = await send(`{ ${page(50)} }`);
    expect(errors).toBeUndefined();
    expect(data?.artifacts?.nodes).toHaveLength(50);
    for (const node of data?.artifacts?.nodes ?? []) expect(node.metadata).toEqual(METADATA);
  });

  it("over MAX_RESPONSE_BYTES is QUERY_TOO_COMPLEX, with one error and no data", async () => {
    const answer = await send(`{ ${page(100)} }`);
    expect(answer.data).toBeNull();
    expect(codes(answer)).toEqual(["QUERY_TOO_COMPLEX"]);
  });

  it("counts JSON escapes: NUL bytes take six times their size", async () => {
    const zeros = 'artifact(tenantId: "t", workflowId: "w", artifactId: "zeros")';
    expect(codes(await send(`{ ${zeros} { text } }`))).toEqual(["QUERY_TOO_COMPLEX"]);
    expect(codes(await send(`{ ${zeros} { base64 } }`))).toEqual([]);
  });

  it("counts the response names in the document", async () => {
    const answer = await send(`{ ${page(100, `${"x".repeat(50_000)}: tier`)} }`);
    expect(codes(answer)).toEqual(["QUERY_TOO_COMPLEX"]);
  });
});

describe("50 aliases of the largest page", () => {
  it("are refused before all pages are read", async () => {
    const aliases = Array.from({ length: 50 }, (_, index) => `a${index}: ${page(100)}`);
    let read = 0;
    await using counted = await handlerUnderTest({
      limits: { document: { ...DEFAULT_LIMITS.document, maxResponseBytes: MAX_BYTES } },
      replace: () => ({
        ...world.services,
        artifacts: new Proxy(world.services.artifacts, {
          get(target, name) {
            if (name === "list") read += 1;
            const method = target[name as keyof typeof target];
            return typeof method === "function" ? (method as () => unknown).bind(target) : method;
          },
        }),
      }),
    });
    const answer = (await (await counted.graphql(`{ ${aliases.join(" ")} }`)).json()) as Answer;
    expect(codes(answer)).toEqual(["QUERY_TOO_COMPLEX"]);
    expect(read).toBeLessThanOrEqual(2);
  });
});

describe("a mutation with a response that is too large", () => {
  it("has been executed: its field is null, with an error", async () => {
    const input = '{ tenantId: "t", workflowId: "v", artifactId: "a", content: { text: "x" } }';
    const answer = (await (
      await world.graphql(
        `mutation { writeArtifact(input: ${input}) { artifact { tenant { ${page(100)} } } } }`.replace(
          'where: { workflowId: "w", tenantId: "t" }',
          "orderBy: { field: KEY }",
        ),
      )
    ).json()) as Answer;
    expect(codes(answer)).toEqual(["QUERY_TOO_COMPLEX"]);
    expect(answer.data).toEqual({ writeArtifact: null });
    const key = { tenantId: "t", workflowId: "v", artifactId: "a" };
    expect(await world.services.artifacts.get(ADMIN, key)).not.toBeNull();
  });
});
