import { describe, expect, it } from "vitest";
import { handlerUnderTest } from "../../testing/http/handler-under-test.ts";
import { basePathOf, withoutBase } from "./base-path.ts";

describe("the path of PUBLIC_URL", () => {
  it.each([
    [null, ""],
    ["https://a.example", ""],
    ["https://a.example/", ""],
    ["https://a.example/b", "/b"],
    ["https://a.example/b/c%20d//", "/b/c%20d"],
  ])("of %s is %j", (url, basePath) => {
    expect(basePathOf(url)).toBe(basePath);
  });

  it.each([
    ["/b", "/"],
    ["/b/", "/"],
    ["/b/graphql", "/graphql"],
    ["/graphql", "/graphql"],
    ["/bc/graphql", "/bc/graphql"],
    ["/b/b/graphql", "/b/graphql"],
  ])("is removed from %s once", (path, rest) => {
    expect(withoutBase(path, "/b")).toBe(rest);
    expect(withoutBase(path, "")).toBe(path);
  });

  it("is in every URL of a response, and each URL works with and without it", async () => {
    await using world = await handlerUnderTest({ trusted: { publicUrl: "https://a.example/b/" } });
    const written = await world.request("/artifacts/t/w/a", { method: "PUT", body: "content" });
    const { artifact } = (await written.json()) as { artifact: { downloadUrl: string } };
    expect(artifact.downloadUrl).toBe("/b/artifacts/t/w/a");
    const query = `{
      artifacts { nodes { downloadUrl } }
      signedDownloadUrl(key: { tenantId: "t", workflowId: "w", artifactId: "a" }) { url }
    }`;
    const { data } = (await (await world.graphql(query)).json()) as {
      data: { artifacts: { nodes: [{ downloadUrl: string }] }; signedDownloadUrl: { url: string } };
    };
    for (const url of [data.artifacts.nodes[0].downloadUrl, data.signedDownloadUrl.url]) {
      expect(url.startsWith("/b/artifacts/t/w/a")).toBe(true);
      for (const path of [url, url.slice(2)])
        expect(await (await world.request(path)).text()).toBe("content");
    }
    for (const path of ["/", "/b", "/b/"]) {
      const response = await world.request(path, { headers: { accept: "text/html" } });
      expect([response.status, response.headers.get("location")]).toEqual([302, "/b/graphql"]);
    }
    for (const path of ["/b/graphql", "/b/graphql/", "/graphql", "/graphql/"]) {
      const response = await world.request(`${path}?query={viewer{actor}}`);
      expect(await response.json()).toEqual({ data: { viewer: { actor: "local" } } });
    }
  });
});
