import { beforeAll, describe, expect, it } from "vitest";
import { newTenant, sha256 } from "../support/client.ts";
import { problemOf, type RawRequest, sendRaw } from "../support/raw-http.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

const CONTENT = "0123456789";
const ETAG = `"${sha256(CONTENT)}"`;
const STALE = `"${sha256("something else")}"`;
const tenant = newTenant();
const path = `/artifacts/${tenant}/w/ten.txt`;

beforeAll(async () => {
  await shared.tierkeep.upload({ tenantId: tenant, workflowId: "w", artifactId: "ten.txt" }, CONTENT);
  await shared.tierkeep.upload({ tenantId: tenant, workflowId: "w", artifactId: "empty" }, "");
});

function get(headers: RawRequest["headers"] = {}, method = "GET", at = path) {
  return sendRaw(shared.server, { method, path: at, headers });
}

describe("GET of an artifact", () => {
  it("returns its bytes, and its facts as headers", async () => {
    const answer = await get();
    expect(answer).toMatchObject({ status: 200, complete: true });
    expect(answer.body.toString()).toBe(CONTENT);
    expect(answer.headers).toMatchObject({
      etag: ETAG,
      "content-length": "10",
      "content-type": "text/plain",
      "accept-ranges": "bytes",
      "repr-digest": `sha-256=:${Buffer.from(sha256(CONTENT), "hex").toString("base64")}:`,
    });
    const { artifactId: _, ...artifact } = (await shared.tierkeep.artifact({
      tenantId: tenant,
      workflowId: "w",
      artifactId: "ten.txt",
    })) ?? { artifactId: "", modifiedAt: "" };
    const lastModified = Date.parse(answer.headers["last-modified"] ?? "");
    expect(lastModified).toBe(Math.floor(Date.parse(artifact.modifiedAt) / 1000) * 1000);
  });

  it("is refused with ARTIFACT_NOT_FOUND if the artifact is missing", async () => {
    const answer = await get({}, "GET", `/artifacts/${tenant}/w/none`);
    expect(answer.status).toBe(404);
    expect(problemOf(answer)).toMatchObject({
      code: "ARTIFACT_NOT_FOUND",
      status: 404,
      requestId: answer.headers["x-request-id"],
      title: expect.any(String),
      detail: expect.any(String),
    });
  });

  it("returns an empty artifact", async () => {
    const answer = await get({}, "GET", `/artifacts/${tenant}/w/empty`);
    expect(answer).toMatchObject({ status: 200, complete: true });
    expect(answer.headers["content-length"]).toBe("0");
    expect(answer.body).toHaveLength(0);
    expect((await get({ range: "bytes=0-" }, "GET", `/artifacts/${tenant}/w/empty`)).status).toBe(416);
  });

  it.each(["POST", "PATCH", "DELETE"])("is refused with the method %s", async (method) => {
    const answer = await get({}, method);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toContain("PUT");
    expect((await get()).body.toString()).toBe(CONTENT);
  });
});

describe("HEAD of an artifact", () => {
  it("returns the headers of a GET without the bytes", async () => {
    const [head, whole] = [await get({}, "HEAD"), await get()];
    expect(head).toMatchObject({ status: 200, complete: true });
    expect(head.body).toHaveLength(0);
    const { date: _, "x-request-id": __, connection: ___, "keep-alive": ____, ...known } = whole.headers;
    expect(head.headers).toMatchObject(known);
  });

  it("returns 404 if the artifact is missing, and 304 if it has not changed", async () => {
    expect((await get({}, "HEAD", `/artifacts/${tenant}/w/none`)).status).toBe(404);
    expect((await get({ "if-none-match": ETAG }, "HEAD")).status).toBe(304);
  });

  it("ignores a range", async () => {
    const answer = await get({ range: "bytes=2-3" }, "HEAD");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-length"]).toBe("10");
  });
});

describe("Range", () => {
  it.each([
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=4-4", "4", "bytes 4-4/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=-100", "0123456789", "bytes 0-9/10"],
    ["bytes=0-", "0123456789", "bytes 0-9/10"],
    ["bytes=5-1000", "56789", "bytes 5-9/10"],
    ["bytes=9-99999999999999999999", "9", "bytes 9-9/10"],
    ["BYTES=0-0", "0", "bytes 0-0/10"],
  ])("%s gives %j", async (range, body, contentRange) => {
    const answer = await get({ range });
    expect(answer).toMatchObject({ status: 206, complete: true });
    expect(answer.body.toString()).toBe(body);
    expect(answer.headers).toMatchObject({
      "content-range": contentRange,
      "content-length": String(body.length),
      etag: ETAG,
    });
  });

  it.each(["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"])(
    "%s is refused with 416 and the size of the content",
    async (range) => {
      const answer = await get({ range });
      expect(answer.status).toBe(416);
      expect(answer.headers["content-range"]).toBe("bytes */10");
      expect(problemOf(answer)).toMatchObject({ code: "BAD_USER_INPUT", status: 416 });
    },
  );

  it.each(["bytes=3-1", "bytes=a-b", "bytes=-", "bytes", "lines=1-2", "bytes=0-1,4-5", ""])(
    "%j is ignored: the complete content is returned",
    async (range) => {
      const answer = await get({ range });
      expect(answer.status).toBe(200);
      expect(answer.body.toString()).toBe(CONTENT);
    },
  );

  it("applies only to the content that If-Range names", async () => {
    const range = "bytes=0-3";
    expect((await get({ range, "if-range": ETAG })).status).toBe(206);
    const stale = await get({ range, "if-range": STALE });
    expect([stale.status, stale.body.toString()]).toEqual([200, CONTENT]);
    expect((await get({ range, "if-range": `W/${ETAG}` })).status).toBe(200);
    expect((await get({ range, "if-range": "Thu, 01 Jan 1970 00:00:00 GMT" })).status).toBe(200);
    expect((await get({ range: "bytes=10-", "if-range": STALE })).status).toBe(200);
  });

  it("is sent by the SDK's download", async () => {
    const key = { tenantId: tenant, workflowId: "w", artifactId: "ten.txt" };
    const part = await shared.tierkeep.download(key, { range: { start: 2, end: 4 } });
    expect(part.range).toEqual({ start: 2, end: 4, totalBytes: 10 });
    expect(await part.text()).toBe("234");
    expect(await (await shared.tierkeep.download(key, { range: { last: 2 } })).text()).toBe("89");
  });
});

describe("preconditions of a read", () => {
  it.each([
    ["the same content", ETAG, 304],
    ["the same content, weakly", `W/${ETAG}`, 304],
    ["one of several", `${STALE}, ${ETAG}`, 304],
    ["anything", "*", 304],
    ["another content", STALE, 200],
  ])("If-None-Match with %s", async (_what, tag, status) => {
    const answer = await get({ "if-none-match": tag });
    expect(answer.status).toBe(status);
    expect(answer.headers.etag).toBe(ETAG);
    if (status === 304) expect(answer.body).toHaveLength(0);
  });

  it.each([
    ["the same content", ETAG, 200],
    ["anything", "*", 200],
    ["the same content, weakly", `W/${ETAG}`, 412],
    ["another content", STALE, 412],
  ])("If-Match with %s", async (_what, tag, status) => {
    const answer = await get({ "if-match": tag });
    expect(answer.status).toBe(status);
    if (status === 412) expect(problemOf(answer)).toMatchObject({ code: "PRECONDITION_FAILED" });
  });

  it("are evaluated before the range", async () => {
    expect((await get({ "if-none-match": ETAG, range: "bytes=0-1" })).status).toBe(304);
    expect((await get({ "if-match": STALE, range: "bytes=0-1" })).status).toBe(412);
  });

  it("compare dates in seconds", async () => {
    const written = (await get()).headers["last-modified"] ?? "";
    expect((await get({ "if-modified-since": written })).status).toBe(304);
    expect((await get({ "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT" })).status).toBe(200);
    expect((await get({ "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" })).status).toBe(412);
    expect((await get({ "if-modified-since": written, "if-none-match": STALE })).status).toBe(200);
  });
});

describe("a download in a browser", () => {
  it.each(["page.html", "image.svg", "script.js", "doc.xml"])(
    "%s is saved as a file, never shown as a page of this server",
    async (artifactId) => {
      const key = { tenantId: newTenant(), workflowId: "w", artifactId };
      await shared.tierkeep.upload(key, "<script>alert(1)</script>");
      const { headers } = await get({}, "GET", `/artifacts/${key.tenantId}/w/${artifactId}`);
      expect(headers["content-disposition"]).toMatch(/^attachment;/);
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["content-security-policy"]).toContain("sandbox");
    },
  );

  it.each([
    ["report.md", `filename="report.md"`, "report.md"],
    ["größe 1.txt", `filename="gr__e 1.txt"`, "gr%C3%B6%C3%9Fe%201.txt"],
    ["報告書.pdf", `filename="___.pdf"`, "%E5%A0%B1%E5%91%8A%E6%9B%B8.pdf"],
    ["it's (1)!.txt", null, "it%27s%20%281%29%21.txt"],
    ["100%.txt", null, "100%25.txt"],
    ["a;b=c,d.txt", `filename="a;b=c,d.txt"`, "a%3Bb%3Dc%2Cd.txt"],
  ])("%s keeps its name", async (artifactId, plain, encoded) => {
    const key = { tenantId: newTenant(), workflowId: "w", artifactId };
    const { artifact } = await shared.tierkeep.upload(key, "x");
    const { headers } = await get({}, "GET", artifact.downloadUrl);
    const disposition = headers["content-disposition"] ?? "";
    expect(disposition).toContain(`filename*=UTF-8''${encoded}`);
    if (plain !== null) expect(disposition).toContain(plain);
    expect(disposition).toMatch(/^[\x20-\x7e]*$/);
  });
});
