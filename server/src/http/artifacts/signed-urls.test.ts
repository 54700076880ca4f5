import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import type { Authenticate } from "../auth/authenticate.ts";
import { lasting, unauthenticated } from "../auth/credentials.ts";

const KEY = { tenantId: "t", workflowId: "w", artifactId: "a b.txt" };
const PATH = "/artifacts/t/w/a%20b.txt";
const WRITER = { actor: "ada", role: "WRITER", tenants: ["t"] } as const;

const authenticate: Authenticate = async (authorization) => {
  if (authorization === null) throw unauthenticated("no credentials");
  return lasting(authorization === "reader" ? { ...WRITER, role: "READER" } : WRITER);
};

const DOWNLOAD = `query ($tenantId: String! = "t", $expiresInSeconds: Int! = 300) {
  signedDownloadUrl(
    key: { tenantId: $tenantId, workflowId: "w", artifactId: "a b.txt" }
    expiresInSeconds: $expiresInSeconds
  ) { url expiresAt }
}`;
const UPLOAD = "query ($upload: SignedUpload!) { signedUploadUrl(upload: $upload) { url } }";
const upload = (terms: object) => ({ upload: { ...KEY, tier: "WARM", ...terms } });

async function send(world: HandlerUnderTest, query: string, variables: object = {}, as = "writer") {
  return (await world.graphql(query, variables, { authorization: as })).json();
}

const downloadUrl = async (world: HandlerUnderTest, variables: object = {}): Promise<string> =>
  (await send(world, DOWNLOAD, variables)).data.signedDownloadUrl.url;
const uploadUrl = async (world: HandlerUnderTest, terms: object = {}): Promise<string> =>
  (await send(world, UPLOAD, upload(terms))).data.signedUploadUrl.url;

const put = (world: HandlerUnderTest, path: string, body: string, headers: Record<string, string> = {}) =>
  world.request(path, { method: "PUT", body, headers });

async function worldWithArtifact(): Promise<HandlerUnderTest> {
  const world = await handlerUnderTest({ authenticate });
  expect((await put(world, PATH, "content", { authorization: "writer" })).status).toBe(201);
  return world;
}

async function expectRefused(response: Response): Promise<void> {
  expect(response.status).toBe(401);
  expect(await response.json()).toMatchObject({
    code: "UNAUTHENTICATED",
    detail: "No valid credentials were given. Send Authorization: Bearer with a token that is valid here.",
  });
}

describe("a signed download URL", () => {
  it("returns the bytes to any client, completely or in part", async () => {
    await using world = await worldWithArtifact();
    const url = await downloadUrl(world);
    expect(url.startsWith(`${PATH}?signed=`)).toBe(true);
    expect(await (await world.request(url)).text()).toBe("content");
    const part = await world.request(url, { headers: { range: "bytes=0-2" } });
    expect([part.status, await part.text()]).toEqual([206, "con"]);
    expect((await world.request(url, { method: "HEAD" })).status).toBe(200);
    expect(world.logged.at(-1)).toMatchObject({ actor: "ada", operation: "HEAD /artifacts" });
    expect(JSON.stringify(world.logged)).not.toContain(url.split("=").at(-1));
  });

  it("is refused once it has expired", async () => {
    await using world = await worldWithArtifact();
    const url = await downloadUrl(world, { expiresInSeconds: 1 });
    const answer = await send(world, DOWNLOAD, { expiresInSeconds: 3600 });
    const { url: later, expiresAt } = answer.data.signedDownloadUrl;
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now() + 3_500_000);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1001 });
    try {
      await expectRefused(await world.request(url));
      expect((await world.request(later)).status).toBe(200);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is refused if any character is changed", async () => {
    await using world = await worldWithArtifact();
    const url = await downloadUrl(world);
    const start = url.indexOf("=") + 1;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(url.length - start - 1),
        fc.constantFrom(..."AZaz09-_.~"),
        fc.constantFrom(0, 1),
        async (at, character, removed) => {
          const changed = url.slice(0, start + at) + character + url.slice(start + at + removed);
          if (changed === url) return;
          expect((await world.request(changed)).status).toBe(401);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("is valid only for its artifact, method and store", async () => {
    await using world = await worldWithArtifact();
    await using other = await worldWithArtifact();
    const url = await downloadUrl(world);
    const query = url.slice(url.indexOf("?"));
    for (const path of ["/artifacts/t/w/b", "/artifacts/u/w/a%20b.txt", "/artifacts/t/v/a%20b.txt"]) {
      await expectRefused(await world.request(`${path}${query}`));
    }
    await expectRefused(await put(world, url, "x"));
    await expectRefused(await other.request(url));
    expect((await world.request(`/metrics${query}`)).status).toBe(401);
    expect((await world.request(`/graphql${query}&query={viewer{actor}}`)).status).toBe(401);
  });

  it("is for existing artifacts that its creator may read, and for at most an hour", async () => {
    await using world = await worldWithArtifact();
    expect((await send(world, DOWNLOAD, { tenantId: "others" })).data).toEqual({ signedDownloadUrl: null });
    await world.services.artifacts.purge(
      { actor: "x", role: "ADMIN", tenants: null },
      { ...KEY, dryRun: false },
    );
    expect((await send(world, DOWNLOAD)).data).toEqual({ signedDownloadUrl: null });
    for (const expiresInSeconds of [0, 3601]) {
      const [error] = (await send(world, DOWNLOAD, { expiresInSeconds })).errors;
      expect(error.extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "expiresInSeconds" });
    }
  });
});

describe("a signed upload URL", () => {
  it("accepts bytes from any client, with its creator as the actor", async () => {
    await using world = await handlerUnderTest({ authenticate });
    const response = await put(world, await uploadUrl(world), "content", { "content-type": "text/plain" });
    expect(response.status).toBe(201);
    expect((await response.json()).artifact).toMatchObject({ tier: "WARM", contentType: "text/plain" });
    const admin = { actor: "x", role: "ADMIN", tenants: null } as const;
    const page = { limit: 1, backward: false, after: null, before: null };
    const events = await world.services.events.list(admin, {}, "DESC", page);
    expect(events.edges[0]?.node).toMatchObject({ type: "ARTIFACT_WRITTEN", actor: "ada" });
  });

  it("enforces the terms of its creation", async () => {
    await using world = await handlerUnderTest({ authenticate });
    const url = await uploadUrl(world, { contentType: "text/plain", ifAbsent: true });
    const metadata = Buffer.from('{"role":"admin"}').toString("base64url");
    const claims = { "content-type": "text/html", "tierkeep-metadata": metadata };
    const { artifact } = await (await put(world, url, "content", claims)).json();
    expect(artifact).toMatchObject({ tier: "WARM", contentType: "text/plain", metadata: {} });
    expect((await put(world, url, "again")).status).toBe(412);
    const wrong = await uploadUrl(world, { checksum: "0".repeat(64) });
    expect((await (await put(world, wrong, "x")).json()).code).toBe("CHECKSUM_MISMATCH");
  });

  it("accepts no more bytes than its terms allow, announced or not", async () => {
    await using world = await handlerUnderTest({ authenticate });
    const url = await uploadUrl(world, { maxBytes: 5 });
    for (const headers of [{}, { "content-length": "6" }] as Record<string, string>[]) {
      const refused = await put(world, url, "123456", headers);
      expect([refused.status, (await refused.json()).code]).toEqual([413, "CONTENT_TOO_LARGE"]);
    }
    expect((await put(world, url, "12345")).status).toBe(201);
  });

  it("is for creators who may write there, and reads nothing", async () => {
    await using world = await worldWithArtifact();
    await expectRefused(await world.request(await uploadUrl(world)));
    for (const [terms, as] of [
      [{}, "reader"],
      [{ tenantId: "others" }, "writer"],
    ] as const) {
      const [error] = (await send(world, UPLOAD, upload(terms), as)).errors;
      expect(error.extensions.code).toBe("FORBIDDEN");
    }
  });
});

it("a signed URL created with an API key ends with the key", async () => {
  await using world = await worldWithArtifact();
  const admin = { actor: "x", role: "ADMIN", tenants: null } as const;
  const { keys, urls } = world.services;
  const { apiKey } = await keys.create(admin, { role: "READER", tenantIds: ["t"] });
  const holder = { actor: `key:${apiKey.keyId}`, role: "READER", tenants: ["t"] } as const;
  const url = (await urls.download(holder, KEY, 60))?.url as string;
  expect((await world.request(url)).status).toBe(200);
  await keys.revoke(admin, apiKey.keyId);
  await expectRefused(await world.request(url));
});
