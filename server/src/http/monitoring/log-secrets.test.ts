import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type HandlerUnderTest,
  handlerUnderTest,
  withMethods,
} from "../../../testing/http/handler-under-test.ts";

const MARK = "mArKeD-8f21c0";

let under: HandlerUnderTest;
let fault: () => unknown = () => {};

beforeAll(async () => {
  under = await handlerUnderTest({
    replace: ({ artifacts }) => ({
      artifacts: withMethods(artifacts, {
        getMany: async (...args) => (fault() as never) ?? (await artifacts.getMany(...args)),
        write: async (...args) => (fault() as never) ?? (await artifacts.write(...args)),
      }),
    }),
  });
});

afterAll(async () => {
  await under[Symbol.asyncDispose]();
});

const READ = `query Read($id: String!) { artifact(tenantId: "t", workflowId: "${MARK}", artifactId: $id) { metadata sizeBytes } }`;
const WRITE =
  "mutation Write($input: WriteArtifactInput!) { writeArtifact(input: $input) { created artifact { metadata sizeBytes } } }";
const INPUT = {
  tenantId: "t",
  workflowId: MARK,
  artifactId: MARK,
  content: { text: MARK },
  metadata: { key: MARK, [MARK]: 1 },
};

it.each<[string, () => unknown]>([
  [
    "throws an error",
    () => {
      throw new Error("boom");
    },
  ],
  [
    "throws an error that contains its input",
    () => {
      throw Object.assign(new Error("boom"), { input: INPUT, parameters: [MARK] });
    },
  ],
  [
    "throws a value that is not an error",
    () => {
      throw { metadata: MARK };
    },
  ],
  ["returns values of another type", () => [{ ...INPUT, sizeBytes: MARK, metadata: MARK }]],
])(
  "the log entry for a service that %s has the cause, and no stored or requested values",
  async (_what, failing) => {
    fault = failing;
    const before = under.logged.length;
    const answers = [
      await (await under.graphql(READ, { id: MARK }, { authorization: `Bearer ${MARK}` })).text(),
      await (await under.graphql(WRITE, { input: INPUT })).text(),
      await (await under.request(`/artifacts/t/${MARK}/${MARK}`, { method: "PUT", body: MARK })).text(),
    ];
    fault = () => {};
    const logged = under.logged.slice(before);
    expect(logged.filter(({ msg }) => msg === "internal error").length).toBeGreaterThan(0);
    expect(JSON.stringify(logged)).not.toContain(MARK);
    expect(answers.join("\n").replaceAll(/"(?:tenantId|workflowId|artifactId)":"[^"]*"/g, "")).not.toContain(
      MARK,
    );
  },
);
