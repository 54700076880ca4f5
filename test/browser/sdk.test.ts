import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type * as Sdk from "@tierkeep/sdk";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { type Consumer, packSdk } from "../support/packed.ts";
import { type Server, startServer } from "../support/server.ts";

const CHROMIUM = "/usr/bin/chromium";

let consumer: Consumer;
let site: HttpServer;
let server: Server;
let browser: Browser;
let page: Page;
/** Paths that the page has requested. */
const loaded: string[] = [];

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error("this needs a browser: apt-get install chromium");
  consumer = await packSdk();
  const dist = join(consumer.dir, "node_modules/@tierkeep/sdk/dist");
  site = createServer(async (request, response) => {
    const name = (request.url ?? "/").slice(1);
    loaded.push(name);
    const script = name.endsWith(".js");
    response.setHeader("content-type", script ? "text/javascript" : "text/html");
    response.end(script ? await readFile(join(dist, name)) : "<!doctype html><title>A page</title>");
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  server = await startServer({ env: { CORS_ORIGINS: origin } });
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  });
  page = await browser.newPage();
  await page.goto(origin);
});

afterAll(async () => {
  await browser?.close();
  site?.close();
  await server?.stop();
  await server?.[Symbol.asyncDispose]();
  await consumer?.[Symbol.asyncDispose]();
});

describe("the packed SDK in a page of another origin", () => {
  it("runs queries with its initial modules, and loads no modules for transfers and events", async () => {
    const before = await page.evaluate(
      async ({ url, tenantId }) => {
        const { createTierkeep }: typeof Sdk = await import("/index.js" as string);
        const tierkeep = createTierkeep({ url });
        const listed: string[] = [];
        for await (const artifact of tierkeep.artifacts({ where: { tenantId } }))
          listed.push(artifact.artifactId);
        const { role } = await tierkeep.viewer();
        return { listed, role };
      },
      { url: server.url, tenantId: newTenant() },
    );
    expect(before).toEqual({ listed: [], role: "ADMIN" });
    expect(loaded.filter((name) => /upload|download|event|websocket/.test(name))).toEqual([]);
  });

  it("uploads a File, follows events, waits for a job, and downloads and verifies the content", async () => {
    const came = await page.evaluate(
      async ({ url, tenantId }) => {
        const { createTierkeep, ConflictError, PreconditionFailedError }: typeof Sdk = await import(
          "/index.js" as string
        );
        const tierkeep = createTierkeep({ url });
        const key = { tenantId, workflowId: "page", artifactId: "photo.png" };
        const states: string[] = [];
        const events = tierkeep.lifecycleEvents({
          where: { tenantId },
          after: await tierkeep.lifecycleEventCursor(),
          onState: (state) => states.push(state),
        });
        const sent: (number | null)[][] = [];
        const file = new File([new Uint8Array(300_000)], "photo.png", { type: "image/png" });
        const { artifact, created } = await tierkeep.upload(key, file, {
          metadata: { title: "Zoë" },
          onProgress: ({ sentBytes, totalBytes }) => sent.push([sentBytes, totalBytes]),
        });
        const { value } = await events.next();
        await events.return?.();
        const { job } = await tierkeep.restoreArtifacts({ where: { tenantId }, toTier: "HOT" });
        const { status } = await job.finished();
        const received: number[] = [];
        const download = await tierkeep.download(key, {
          onProgress: ({ receivedBytes }) => received.push(receivedBytes),
        });
        const bytes = await download.bytes();
        const error = await tierkeep.upload(key, "x", { ifAbsent: true }).catch((thrown: unknown) => thrown);
        return {
          created,
          contentType: artifact.contentType,
          metadata: artifact.metadata,
          event: value?.type,
          states,
          sent,
          status,
          length: bytes.length,
          received: received.at(-1),
          refused: [error instanceof PreconditionFailedError, error instanceof ConflictError],
        };
      },
      { url: server.url, tenantId: newTenant() },
    );
    expect(came).toEqual({
      created: true,
      contentType: "image/png",
      metadata: { title: "Zoë" },
      event: "ARTIFACT_WRITTEN",
      states: ["connecting", "live"],
      sent: [
        [0, 300_000],
        [300_000, 300_000],
      ],
      status: "SUCCEEDED",
      length: 300_000,
      received: 300_000,
      refused: [true, false],
    });
  });

  it("tells an abort and a server that is gone apart", async () => {
    const names = await page.evaluate(
      async ({ url }) => {
        const { createTierkeep }: typeof Sdk = await import("/index.js" as string);
        const aborted = createTierkeep({ url, signal: AbortSignal.abort() });
        const gone = createTierkeep({ url: "http://127.0.0.1:9/graphql", retries: 0 });
        const late = createTierkeep({ url, timeoutMs: 0 });
        const outcomes = await Promise.allSettled([aborted.viewer(), gone.viewer(), late.viewer()]);
        return outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.name : "fulfilled"));
      },
      { url: server.url },
    );
    expect(names).toEqual(["AbortError", "ConnectionError", "TimeoutError"]);
  });
});
