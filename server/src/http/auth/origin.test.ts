import { describe, expect, it } from "vitest";
import { handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import { lasting } from "./credentials.ts";
import { requireLoopback, requireTrustedOrigin } from "./origin.ts";

const TRUSTED = {
  publicUrl: "https://store.example.com/tierkeep/",
  corsOrigins: ["https://app.example.com"],
};

const admits = (host: string, origin: string | null) => {
  try {
    requireLoopback(host);
    requireTrustedOrigin(host, origin, TRUSTED);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "FORBIDDEN" });
    return false;
  }
};

describe("requireLoopback and requireTrustedOrigin", () => {
  it.each([
    "localhost",
    "localhost:4000",
    "LOCALHOST",
    "tierkeep.localhost:1",
    "127.0.0.1:4000",
    "127.9.9.9",
    "[::1]:4000",
    "[::1]",
  ])("answers at %s", (host) => {
    expect(admits(host, null)).toBe(true);
  });

  it.each([
    "",
    "evil.example",
    "localhost.evil.example",
    "evil-localhost",
    "127.0.0.1.evil.example",
    "127.0.0.1:4000, evil.example",
    "192.168.0.1",
    "0.0.0.0",
    "localhost:4000@evil.example",
    "user@localhost",
    "store.example.com",
  ])("refuses the host %j, which a page could resolve to this machine", (host) => {
    expect(admits(host, null)).toBe(false);
  });

  it("accepts pages of its own origin, of PUBLIC_URL's and of CORS_ORIGINS", () => {
    expect(admits("localhost:4000", "http://localhost:4000")).toBe(true);
    expect(admits("[::1]:4000", "http://[::1]:4000")).toBe(true);
    expect(admits("localhost:4000", "https://store.example.com")).toBe(true);
    expect(admits("localhost:4000", "https://app.example.com")).toBe(true);
  });

  it.each([
    "null",
    "http://localhost:3000",
    "https://localhost:4000",
    "http://127.0.0.1:4000",
    "https://app.example.com.evil",
    "",
  ])("refuses a page of %j, even on this machine", (origin) => {
    expect(admits("localhost:4000", origin)).toBe(false);
  });
});

describe("origins over HTTP", () => {
  it("refuses an untrusted page on every path, and lets it read nothing", async () => {
    await using world = await handlerUnderTest();
    const init = { headers: { origin: "https://evil.example" } };
    for (const path of ["/graphql?query={viewer{actor}}", "/artifacts/t/w/a", "/healthz", "/", "/nothing"]) {
      const response = await world.request(path, init);
      expect([response.status, await response.json()]).toMatchObject([403, { code: "FORBIDDEN" }]);
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
    }
    const preflight = await world.request("/graphql", { ...init, method: "OPTIONS" });
    expect([preflight.status, preflight.headers.get("access-control-allow-methods")]).toEqual([403, null]);
  });

  it("lets a page of a configured origin send a preflight, and read the response and its headers", async () => {
    await using world = await handlerUnderTest({ trusted: { corsOrigins: ["https://app.example.com"] } });
    const origin = "https://app.example.com";
    const preflight = await world.request("/artifacts/t/w/a", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "tierkeep-metadata,idempotency-key,traceparent,if-modified-since",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(preflight.headers.get("access-control-allow-headers")).toBe(
      "tierkeep-metadata,idempotency-key,traceparent,if-modified-since",
    );
    const odd = await world.request("/graphql", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-headers": "a b, c;d" },
    });
    expect(odd.headers.get("access-control-allow-headers")).toBeNull();

    const answers = [
      await world.graphql("{ viewer { actor } }", {}, { origin }),
      await world.request("/artifacts/t/w/none", { headers: { origin } }),
    ];
    for (const response of answers) {
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(response.headers.get("access-control-expose-headers")).toContain("x-request-id");
      expect(response.headers.get("vary")).toContain("origin");
    }
  });

  it("lets a trusted page read why it is FORBIDDEN", async () => {
    const reader = lasting({ actor: "ada", role: "READER", tenants: ["acme"] });
    await using world = await handlerUnderTest({
      trusted: { corsOrigins: ["https://app.example.com"] },
      authenticate: async () => reader,
    });
    const headers = { origin: "https://app.example.com", authorization: "Bearer x" };
    for (const path of ["/metrics", "/artifacts/acme/w/a"]) {
      const method = path === "/metrics" ? "GET" : "PUT";
      const response = await world.request(path, { method, headers });
      expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([
        403,
        "https://app.example.com",
      ]);
    }
  });

  it("logs the origin and CORS_ORIGINS when a page is refused", async () => {
    await using world = await handlerUnderTest();
    await world.request("/graphql", { headers: { origin: "https://evil.example" } });
    expect(world.logged.at(-1)).toMatchObject({
      code: "FORBIDDEN",
      reason: 'the origin "https://evil.example" is not in CORS_ORIGINS',
    });
  });
});

describe("a request that a page makes without Origin", () => {
  const image = { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };
  const app = { corsOrigins: ["https://app.example.com"] };

  it("is refused without authentication, unless the page is trusted or a link is followed", async () => {
    await using world = await handlerUnderTest({ trusted: app });
    const statusOf = async (headers: Record<string, string>, path = "/graphql?query={viewer{actor}}") =>
      (await world.request(path, { headers })).status;
    for (const site of ["cross-site", "same-site"]) {
      expect(await statusOf({ "sec-fetch-site": site, ...image })).toBe(403);
      const frame = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" };
      expect(await statusOf({ "sec-fetch-site": site, ...frame })).toBe(403);
      const evil = { referer: "https://app.example.com.evil/" };
      expect(await statusOf({ "sec-fetch-site": site, ...image, ...evil })).toBe(403);
      const link = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
      expect(await statusOf({ "sec-fetch-site": site, ...link })).toBe(200);
      const trusted = { referer: "https://app.example.com/page" };
      expect(await statusOf({ "sec-fetch-site": site, ...image, ...trusted })).toBe(200);
    }
    for (const site of ["same-origin", "none"]) expect(await statusOf({ "sec-fetch-site": site })).toBe(200);
    expect(await statusOf({})).toBe(200);
  });

  it("may embed an artifact in a page of a trusted origin, and in no other", async () => {
    const policyOf = async (trusted: object, headers: Record<string, string>, signed = true) => {
      await using world = await handlerUnderTest({ trusted });
      await world.request("/artifacts/t/w/a.png", { method: "PUT", body: "x" });
      const answer = await world.graphql(
        '{ signedDownloadUrl(key: { tenantId: "t", workflowId: "w", artifactId: "a.png" }) { url } }',
      );
      const { data } = (await answer.json()) as { data: { signedDownloadUrl: { url: string } } };
      const path = signed ? data.signedDownloadUrl.url : "/artifacts/t/w/a.png";
      const response = await world.request(path, { headers });
      return response.headers.get("cross-origin-resource-policy");
    };
    const trusted = { referer: "https://app.example.com/page?x=1" };
    expect(await policyOf(app, trusted)).toBe("cross-origin");
    expect(await policyOf(app, { origin: "https://app.example.com" })).toBe("cross-origin");
    expect(await policyOf(app, trusted, false)).toBe("cross-origin");
    expect(await policyOf(app, {})).toBe("cross-origin");
    // Null: the policy of every other response, same-origin.
    expect(await policyOf(app, { referer: "https://evil.example/" })).toBeNull();
    expect(await policyOf(app, {}, false)).toBeNull();
    expect(await policyOf({}, trusted)).toBeNull();
    expect(await policyOf({}, {})).toBeNull();
  });
});
