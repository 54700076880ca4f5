import { describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { problemOf, sendRaw } from "../support/raw-http.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

describe("the path of an artifact", () => {
  it.each([
    ["an encoded slash and dots", "a%2F..%2Fb", "INVALID_IDENTIFIER"],
    ["encoded slashes in lower case without a name between", "a%2f%2fb", "INVALID_IDENTIFIER"],
    ["an encoded slash at the end", "a%2F", "INVALID_IDENTIFIER"],
    ["an encoded slash at the start", "%2Fa", "INVALID_IDENTIFIER"],
    ["an encoded slash and a leading dot", "a%2F.git", "INVALID_IDENTIFIER"],
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
    ["slashes", "plots/2026/sales.svg"],
    ["encoded slashes", "plots%2F2026%2fsales.svg"],
    ["both", "plots/2026%2Fsales.svg"],
  ])("names one nested artifact with %s", async (_what, path) => {
    const tenantId = newTenant();
    const url = `/artifacts/${tenantId}/w/${path}`;
    const canonical = `/artifacts/${tenantId}/w/plots/2026/sales.svg`;
    const written = await sendRaw(shared.server, { method: "PUT", path: url, body: "0123456789" });
    expect(written.status).toBe(201);
    expect(JSON.parse(written.body.toString())).toMatchObject({
      artifact: { artifactId: "plots/2026/sales.svg", contentType: "image/svg+xml", downloadUrl: canonical },
    });
    for (const each of [url, canonical]) {
      const read = await sendRaw(shared.server, { path: each });
      expect([read.status, read.body.toString()]).toEqual([200, "0123456789"]);
      expect(read.headers["content-disposition"]).toContain('filename="sales.svg"');
      const range = await sendRaw(shared.server, { path: each, headers: { range: "bytes=2-3" } });
      expect([range.status, range.body.toString()]).toEqual([206, "23"]);
      expect((await sendRaw(shared.server, { method: "HEAD", path: each })).status).toBe(200);
    }
  });

  it("of a signed URL may be sent with encoded slashes too, and not with another artifact's", async () => {
    const tenantId = newTenant();
    const key = { tenantId, workflowId: "w", artifactId: "plots/a.svg" };
    await shared.tierkeep.upload(key, "x");
    const { url = "" } = (await shared.tierkeep.signedDownloadUrl({ key })) ?? {};
    const { pathname, search } = new URL(url, "http://localhost");
    expect(pathname).toBe(`/artifacts/${tenantId}/w/plots/a.svg`);
    for (const [path, status] of [
      [pathname, 200],
      [pathname.replace("plots/", "plots%2F"), 200],
      [pathname.replace("plots/", ""), 401],
      [`${pathname}/b`, 401],
    ] as const)
      expect((await sendRaw(shared.server, { path: `${path}${search}` })).status).toBe(status);
  });

  it.each(["/a/../b", "/a/./b", "//a", "/a//b", "/a/", "/.git/config", "/a/%2e%2e/b", "/a%2F..%2Fb"])(
    "is refused with the id %s, and nothing is written",
    async (id) => {
      const tenantId = newTenant();
      const path = `/artifacts/${tenantId}/w${id}`;
      const answer = await sendRaw(shared.server, { method: "PUT", path, body: "x" });
      expect([answer.status, problemOf(answer).code]).toEqual([400, "INVALID_IDENTIFIER"]);
      expect((await shared.tierkeep.artifacts({ where: { tenantId } })).nodes).toEqual([]);
    },
  );

  it.each(["/artifacts/a/b", "/artifacts/a", "/Artifacts/a/b/c"])(
    "has at least three segments: %s is NOT_FOUND",
    async (path) => {
      const answer = await sendRaw(shared.server, { path });
      expect([answer.status, problemOf(answer).code]).toEqual([404, "NOT_FOUND"]);
    },
  );

  it("is not resolved with dots that lead outside", async () => {
    for (const path of ["/artifacts/a/../b/c", "/artifacts/../graphql", "/artifacts/a/b/../../../healthz"]) {
      const answer = await sendRaw(shared.server, { path });
      expect([path, answer.status >= 400]).toEqual([path, true]);
    }
  });
});
