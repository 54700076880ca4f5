import { describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { problemOf, sendRaw } from "../support/raw-http.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

describe("the path of an artifact", () => {
  it.each([
    ["an encoded slash", "a%2Fb", "INVALID_IDENTIFIER"],
    ["an encoded slash in lower case", "a%2fb", "INVALID_IDENTIFIER"],
    ["an encoded backslash", "a%5Cb", "INVALID_IDENTIFIER"],
    ["encoded dots", "%2e%2e", "INVALID_IDENTIFIER"],
    ["dots of which one is encoded", ".%2E", "INVALID_IDENTIFIER"],
    ["one encoded dot", "%2E", "INVALID_IDENTIFIER"],
    ["dots", "..", "INVALID_IDENTIFIER"],
    ["one dot", ".", "INVALID_IDENTIFIER"],
    ["nothing", "", "INVALID_IDENTIFIER"],
    ["NUL", "a%00b", "INVALID_IDENTIFIER"],
    ["a line break", "a%0D%0Ab", "INVALID_IDENTIFIER"],
    ["bytes that are not UTF-8", "%FF%FE", "INVALID_IDENTIFIER"],
    ["an overlong slash", "%C0%AF", "INVALID_IDENTIFIER"],
    ["an encoded surrogate", "%ED%A0%80", "INVALID_IDENTIFIER"],
    ["a truncated escape", "a%2", "INVALID_IDENTIFIER"],
    ["an invalid escape", "a%zz", "INVALID_IDENTIFIER"],
    ["a name that is not NFC", "cafe%CC%81", "INVALID_IDENTIFIER"],
  ])("is refused with %s in any segment", async (_what, segment, code) => {
    for (const position of [0, 1, 2]) {
      const segments = [newTenant(), "w", "a"];
      segments[position] = segment;
      for (const method of ["GET", "HEAD", "PUT"]) {
        const answer = await sendRaw(shared.server, {
          method,
          path: `/artifacts/${segments.join("/")}`,
          ...(method === "PUT" ? { body: "x" } : {}),
        });
        expect([method, position, answer.status]).toEqual([method, position, 400]);
        if (method !== "HEAD") expect(problemOf(answer).code).toBe(code);
      }
    }
  });

  it.each([
    ["literal %2e%2e", "%252e%252e", "%2e%2e"],
    ["literal %2F", "a%252Fb", "a%2Fb"],
    ["a plus sign, which does not mean a space", "a+b", "a+b"],
    ["an encoded space", "a%20b", "a b"],
    ["needless escapes", "%61%62", "ab"],
    ["characters that need no escape", "a;b@c=d&e$f,g!h'i(j)k", "a;b@c=d&e$f,g!h'i(j)k"],
    ["an emoji", "%F0%9F%98%80", "😀"],
  ])("is decoded once with %s", async (_what, segment, artifactId) => {
    const tenantId = newTenant();
    const answer = await sendRaw(shared.server, {
      method: "PUT",
      path: `/artifacts/${tenantId}/w/${segment}`,
      body: "x",
    });
    expect(answer.status).toBe(201);
    const { nodes } = await shared.tierkeep.artifacts({ where: { tenantId } });
    expect(nodes.map((artifact) => artifact.artifactId)).toEqual([artifactId]);
    const read = await sendRaw(shared.server, { path: nodes[0]?.downloadUrl ?? "" });
    expect([read.status, read.body.toString()]).toEqual([200, "x"]);
  });

  it.each([
    "/artifacts/a/b",
    "/artifacts/a/b/c/d",
    "/artifacts/a/b/c/",
    "/artifacts//a/b/c",
    "/Artifacts/a/b/c",
  ])("has exactly three segments: %s is NOT_FOUND", async (path) => {
    const answer = await sendRaw(shared.server, { path });
    expect([answer.status, problemOf(answer).code]).toEqual([404, "NOT_FOUND"]);
  });

  it("is not resolved with dots that lead outside", async () => {
    for (const path of ["/artifacts/a/../b/c", "/artifacts/../graphql", "/artifacts/a/b/../../../healthz"]) {
      const answer = await sendRaw(shared.server, { path });
      expect([path, answer.status >= 400]).toEqual([path, true]);
    }
  });
});
