import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createTierkeep } from "@tierkeep/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { dataOf } from "../support/client.ts";
import { type Front, freePort, type Nginx, startNginx } from "../support/nginx.ts";
import { runCommand, type Server, startServer } from "../support/server.ts";

const PREFIX = "/store/tierkeep";
const KINDS = [
  { tls: true, strips: true },
  { tls: false, strips: true },
  { tls: true, strips: false },
] as const;

let server: Server;
let nginx: Nginx;
/** The public URL of each kind. The first one is PUBLIC_URL. */
const urls: string[] = [];

beforeAll(async () => {
  const fronts: Front[] = [];
  for (const kind of KINDS) fronts.push({ port: await freePort(), ...kind });
  urls.push(...fronts.map(({ port, tls }) => `http${tls ? "s" : ""}://127.0.0.1:${port}${PREFIX}`));
  const env = {
    PUBLIC_URL: `${urls[0]}/`,
    CORS_ORIGINS: urls
      .slice(1)
      .map((url) => new URL(url).origin)
      .join(","),
  };
  server = await startServer({ env });
  nginx = await startNginx(Number(new URL(server.url).port), PREFIX, fronts);
  setDefaultCACertificates([...getCACertificates(), readFileSync(nginx.certificate, "utf8")]);
});

afterAll(async () => {
  await nginx?.[Symbol.asyncDispose]();
  await server?.stop();
  await server?.[Symbol.asyncDispose]();
});

/** The URLs of the server: through nginx in each configuration, and directly. */
const places = [
  ["nginx with TLS", () => urls[0]],
  ["nginx without TLS", () => urls[1]],
  ["nginx that keeps the prefix", () => urls[2]],
  ["the server itself", () => server.origin],
] as [string, () => string][];

describe.each(places)("a store with a path prefix, through %s", (place, urlOf) => {
  const key = { tenantId: "acme", workflowId: "w", artifactId: `of ${place}.txt` };

  it.each(["", "/", "/graphql", "/graphql/"])(
    "serves transfers, queries, events and signed URLs of an SDK whose url ends in %j",
    async (ending) => {
      const url = `${urlOf()}${ending}`;
      const tierkeep = createTierkeep({ url });
      const after = await tierkeep.lifecycleEventCursor();
      await tierkeep.upload(key, "hello");
      expect(await (await tierkeep.download(key)).text()).toBe("hello");
      for (const transport of ["sse", "ws"] as const) {
        const follow = { after, transport, where: { artifactId: key.artifactId } };
        for await (const event of createTierkeep({ url, webSocket: WebSocket }).lifecycleEvents(follow)) {
          expect(event).toMatchObject({ type: "ARTIFACT_WRITTEN", artifactId: key.artifactId });
          break;
        }
      }
      const { url: signed } = (await tierkeep.signedDownloadUrl({ key })) ?? { url: "" };
      expect(await (await fetch(signed)).text()).toBe("hello");
    },
  );

  it("gives raw clients URLs that resolve against the endpoint", async () => {
    const endpoint = { url: `${urlOf()}/graphql` };
    await createTierkeep(endpoint).upload(key, "hello");
    const query = `query ($key: ArtifactKeyInput!, $where: ArtifactFilter) { nodes: artifacts(where: $where) { nodes { downloadUrl } } signedDownloadUrl(key: $key) { url } }`;
    const { nodes, signedDownloadUrl } = await dataOf<{
      nodes: { nodes: [{ downloadUrl: string }] };
      signedDownloadUrl: { url: string };
    }>(endpoint, query, { key, where: { tenantId: "acme", artifactIdPrefix: key.artifactId } });
    for (const url of [nodes.nodes[0].downloadUrl, signedDownloadUrl.url]) {
      expect(await (await fetch(new URL(url, endpoint.url))).text()).toBe("hello");
    }
    const upload = await dataOf<{ signedUploadUrl: { url: string } }>(
      endpoint,
      "query ($upload: SignedUpload!) { signedUploadUrl(upload: $upload) { url } }",
      { upload: { ...key, artifactId: "signed" } },
    );
    const put = await fetch(new URL(upload.signedUploadUrl.url, endpoint.url), { method: "PUT", body: "x" });
    expect([200, 201]).toContain(put.status);
    const get = `${endpoint.url}?query=${encodeURIComponent("{ viewer { actor } }")}`;
    expect(await (await fetch(get)).json()).toEqual({ data: { viewer: { actor: "local" } } });
  });

  it("redirects its root to GraphiQL", async () => {
    const response = await fetch(`${urlOf()}/`, { headers: { accept: "text/html" } });
    expect([response.status, response.url]).toEqual([200, expect.stringMatching(/\/graphql$/)]);
    expect(await response.text()).toContain("Tierkeep GraphiQL");
    expect((await fetch(`${urlOf()}/healthz`)).status).toBe(200);
  });

  it("serves commands, including metadata of 60 kB", async () => {
    const metadata = JSON.stringify({ text: "é".repeat(30_000) });
    const env = { TIERKEEP_URL: urlOf(), NODE_EXTRA_CA_CERTS: nginx.certificate };
    const id = "acme/w/large-metadata.txt";
    const written = await runCommand(["write", id, "-", "--metadata", metadata], { env, input: "content" });
    expect([written.code, written.stderr]).toEqual([0, expect.any(String)]);
    const read = await runCommand(["read", id], { env });
    expect([read.code, read.stdout]).toEqual([0, "content"]);
    const stat = await runCommand(["stat", id, "--json"], { env });
    expect(JSON.parse(stat.stdout)).toMatchObject({ metadata: JSON.parse(metadata) });
  });
});
