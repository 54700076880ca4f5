import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { describe, expect, it } from "vitest";
import { handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import { ownerProof } from "../auth/owner-challenge.ts";
import { createHandler } from "../handler.ts";

describe("paths for operators", () => {
  it("/healthz reports that the process is alive", async () => {
    await using world = await handlerUnderTest();
    const response = await world.request("/healthz");
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
  });

  it("/readyz reports what prevents the server from working", async () => {
    await using world = await handlerUnderTest();
    const ready = await world.request("/readyz");
    expect([ready.status, await ready.json()]).toEqual([200, { status: "ready", checks: { catalog: "ok" } }]);
    const { services } = world;
    const broken = createHandler({
      services,
      log: { debug() {}, info() {}, error() {} } as never,
      trusted: { publicUrl: null, corsOrigins: [] },
      limits: DEFAULT_LIMITS,
      health: async () => ({ checks: { catalog: "it is closed" } }),
      metrics: async () => ({ metrics: [], registries: [] }),
      authenticate: null,
      openSigned: async () => null,
      identity: null,
    });
    const response = await broken.fetch(new Request("http://localhost/readyz"));
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: "not ready", checks: { catalog: "it is closed" } },
    ]);
    const owner = await broken.fetch(
      new Request("http://localhost/.well-known/tierkeep-owner?nonce=0123456789abcdef"),
    );
    expect(owner.status).toBe(404);
  });

  it("/metrics uses the Prometheus text format", async () => {
    await using world = await handlerUnderTest();
    const response = await world.request("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await response.text()).toContain(
      "# HELP tierkeep_test A test.\n# TYPE tierkeep_test gauge\ntierkeep_test 1\n",
    );
  });

  it("/metrics counts requests by route, method and status, and refusals by code", async () => {
    await using world = await handlerUnderTest();
    await (await world.graphql("{ viewer { actor } }")).text();
    await (await world.graphql("{ nothing }")).text();
    await (await world.request("/artifacts/a/b/none")).text();
    await (await world.request("/anything/at/all")).text();
    const text = await (await world.request("/metrics")).text();
    const count = (labels: string) => `tierkeep_http_request_duration_seconds_count{${labels}}`;
    expect(text).toContain(`${count('route="graphql",method="POST",status="200"')} 1\n`);
    expect(text).toContain(`${count('route="graphql",method="POST",status="400"')} 1\n`);
    expect(text).toContain(`${count('route="artifacts",method="GET",status="404"')} 1\n`);
    expect(text).toContain(`${count('route="other",method="GET",status="404"')} 1\n`);
    expect(text).toContain('tierkeep_refusals_total{code="GRAPHQL_VALIDATION_FAILED"} 1\n');
    expect(text).toContain('tierkeep_refusals_total{code="ARTIFACT_NOT_FOUND"} 1\n');
    expect(text).toContain('tierkeep_refusals_total{code="NOT_FOUND"} 1\n');
    expect(text).toContain('tierkeep_refusals_total{code="HELD"} 0\n');
  });

  it("log health probes at debug, not at info", async () => {
    await using world = await handlerUnderTest();
    for (const path of ["/healthz", "/readyz", "/metrics"]) await world.request(path);
    expect(world.logged.map(({ operation }) => operation)).toEqual(["GET /metrics"]);
  });

  it("prove the server's identity for a nonce without revealing the token", async () => {
    await using world = await handlerUnderTest();
    const prove = (nonce: string) => world.request(`/.well-known/tierkeep-owner?nonce=${nonce}`);
    const response = await prove("0123456789abcdef");
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({
      instance: "an-instance",
      proof: ownerProof({ instance: "an-instance", token: "a-token" }, "0123456789abcdef"),
    });
    expect(text).not.toContain("a-token");
    expect(await (await prove("fedcba9876543210")).text()).not.toBe(text);
    for (const nonce of ["", "short", "x".repeat(129)]) expect((await prove(nonce)).status).toBe(400);
  });

  it("accept GET and HEAD only", async () => {
    await using world = await handlerUnderTest();
    const head = await world.request("/healthz", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const post = await world.request("/healthz", { method: "POST" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });
});
