import { describe, expect, it } from "vitest";
import { handlerUnderTest } from "./handler-under-test.ts";
import { requireLoopback, requireTrusted } from "./origin.ts";

const TRUSTED = {
  publicUrl: "https://store.example.com/tierkeep/",
  corsOrigins: ["https://app.example.com"],
};

const admits = (host: string, origin: string | null) => {
  try {
    requireLoopback(host);
    requireTrusted(host, origin, TRUSTED);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "FORBIDDEN" });
    return false;
  }
};

describe("requireLoopback and requireTrusted", () => {
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
  ])("does not answer at %j, which a page could have made to mean this machine", (host) => {
    expect(admits(host, null)).toBe(false);
  });

  it("admits pages of its own origin, of PUBLIC_URL's and of CORS_ORIGINS", () => {
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
  ])("keeps a page of %j out, also when it is of this machine", (origin) => {
    expect(admits("localhost:4000", origin)).toBe(false);
  });
});

describe("origins over HTTP", () => {
  it("refuses a stranger's page on every path, and lets it read nothing", async () => {
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

  it("lets a page of a configured origin ask first, and read the answer and its headers", async () => {
    await using world = await handlerUnderTest({ trusted: { corsOrigins: ["https://app.example.com"] } });
    const origin = "https://app.example.com";
    const preflight = await world.request("/artifacts/t/w/a", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "tierkeep-metadata, idempotency-key",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PUT");
    const allowed = preflight.headers.get("access-control-allow-headers")?.split(", ");
    expect(allowed).toEqual(expect.arrayContaining(["tierkeep-metadata", "idempotency-key"]));

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
});
