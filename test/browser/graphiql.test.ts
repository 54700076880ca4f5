import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createTierkeep } from "@tierkeep/sdk";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { write } from "../support/event-log.ts";
import { type Server, startServer, temporaryDirectory } from "../support/server.ts";
import { TOKEN_SECRET, tokenOf } from "../support/token.ts";

const CHROMIUM = "/usr/bin/chromium";
const KEY = { tenantId: "acme", workflowId: "nightly-report" };

let server: Server;
let browser: Browser;

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error("this needs a browser: apt-get install chromium");
  server = await startServer();
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await server?.[Symbol.asyncDispose]();
});

describe("GraphiQL in a browser", () => {
  it("is reachable through /, sends no request to another host, and logs no errors", async () => {
    await using visit = await openGraphiQL();
    expect(new URL(visit.page.url()).origin).toBe(server.origin);
    expect(visit.requested.length).toBeGreaterThan(0);
    // The list also contains requests to other hosts, which the route aborts.
    expect(visit.requested.filter((url) => new URL(url).origin !== server.origin)).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });

  it("opens with prepared tabs: write, watch, promote, run the lifecycle and browse", async () => {
    await using visit = await openGraphiQL();
    const names = await visit.page.locator(".graphiql-tab-button").allInnerTexts();
    expect(names).toEqual(
      expect.arrayContaining(["WriteArtifact", "WatchEvents", "PromoteToCold", "RunLifecycle", "Browse"]),
    );
  });

  it("writes an artifact with one click on its button", async () => {
    await using visit = await openGraphiQL();
    await visit.execute();
    await visit.answers('"created": true');
    await visit.answers('"tier": "HOT"');
    await visit.screenshot("write");
  });

  it("shows that it is listening, and lists events as they arrive, newest first", async () => {
    await using visit = await openGraphiQL();
    await visit.tab("WatchEvents");
    await visit.execute();
    const listening = visit.page.locator("#listening");
    await listening.filter({ hasText: "Listening: no event yet" }).waitFor();
    await write(server, { ...KEY, artifactId: "live-1.txt" });
    await listening.filter({ hasText: "Listening: 1 event" }).waitFor();
    await write(server, { ...KEY, artifactId: "live-2.txt" });
    await visit.answers('"type": "ARTIFACT_WRITTEN".*"artifactId": "live-2.txt".*"artifactId": "live-1.txt"');
    expect(await listening.textContent()).toBe("Listening: 2 events, the newest first");
    await visit.screenshot("watch");
    await visit.execute();
    await listening.waitFor({ state: "detached" });
  });

  it("lists the newest 50 events", async () => {
    const cursor = await createTierkeep({ url: server.url }).lifecycleEventCursor();
    for (let n = 1; n <= 55; n += 1) await write(server, { ...KEY, artifactId: `many-${n}.txt` });
    await using visit = await openGraphiQL();
    const listed = await visit.page.evaluate(async (after) => {
      const query = "subscription ($after: String) { lifecycleEvents(after: $after) { artifactId } }";
      const response = await fetch("/graphql", {
        method: "POST",
        headers: { accept: "text/event-stream", "content-type": "application/json" },
        body: JSON.stringify({ query, variables: { after } }),
      });
      let text = "";
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        if (text.includes('"many-55.txt"') && text.endsWith("\n\n")) break;
      }
      const last = text.trimEnd().split("\n").at(-1) ?? "";
      return JSON.parse(last.slice("data:".length)).data.lifecycleEvents as { artifactId: string }[];
    }, cursor);
    expect(listed.map(({ artifactId }) => artifactId)).toEqual(
      Array.from({ length: 50 }, (_, index) => `many-${55 - index}.txt`),
    );
  });

  it("keeps all tabs reachable and the search box usable in a narrow window", async () => {
    await using visit = await openGraphiQL();
    const { page } = visit;
    await page.setViewportSize({ width: 800, height: 700 });
    const browse = await page.locator(".graphiql-tab-button", { hasText: "Browse" }).boundingBox();
    expect((browse?.x ?? 800) + (browse?.width ?? 0)).toBeLessThan(800);
    await page.locator('button[aria-label="Show Documentation Explorer"]').click();
    const search = page.locator(".graphiql-doc-explorer-search input");
    await search.waitFor();
    expect(await search.evaluate(({ clientWidth }) => clientWidth)).toBeGreaterThan(100);
    const tabs = page.locator(".graphiql-tabs");
    expect(await tabs.evaluate((list) => list.scrollWidth > list.clientWidth)).toBe(true);
    expect(await tabs.evaluate((list) => getComputedStyle(list).scrollbarWidth)).toBe("thin");
    await visit.tab("Browse");
    await visit.screenshot("narrow");
  });

  it("completes a dry run of the lifecycle", async () => {
    await write(server, { ...KEY, artifactId: "due.txt" });
    await using visit = await openGraphiQL();
    await visit.tab("RunLifecycle");
    await visit.execute();
    await visit.answers('"status": "SUCCEEDED"');
    await visit.screenshot("lifecycle");
  });

  it("shows the result of the query in the tab Browse", async () => {
    await using visit = await openGraphiQL();
    await visit.tab("Browse");
    await visit.execute();
    await visit.answers('"tierStats"');
    await visit.answers('"artifactCount"');
  });
});

describe("GraphiQL on a server with authentication", () => {
  it("asks for a token before it sends requests, then uses it in all tabs and for the schema", async () => {
    await using guarded = await startServer({ env: { AUTH_JWT_SECRET: TOKEN_SECRET } });
    await using visit = await openGraphiQL(guarded.origin);
    const { page } = visit;
    await visit.execute();
    await visit.answers("This server needs a token");
    expect(visit.complaints).toEqual([]);

    const status = page.locator("#token output");
    const signIn = async (token: string) => {
      await page.locator("#token input").fill(token);
      await page.locator("#token button").click();
    };
    await signIn(tokenOf({ role: "READER", tenants: ["acme"] }));
    await status.filter({ hasText: "Signed in as ada (READER)" }).waitFor();
    await visit.tab("Browse");
    await visit.execute();
    await visit.answers('"artifactCount"');
    await page.locator('button[aria-label="Show Documentation Explorer"]').click();
    await page.locator(".graphiql-doc-explorer-content", { hasText: "query" }).waitFor();
    await visit.screenshot("token");
    const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
    expect(stored).not.toContain("eyJ");

    await signIn("not.a.token");
    await status.filter({ hasText: "The token was not accepted." }).waitFor();
  });
});

interface Visit extends AsyncDisposable {
  readonly page: Page;
  readonly requested: readonly string[];
  /** Errors of the page's scripts and console. */
  readonly complaints: readonly string[];
  tab(name: string): Promise<void>;
  execute(): Promise<void>;
  /** Waits until the response contains this text. ".*" matches any text. */
  answers(text: string): Promise<void>;
  screenshot(name: string): Promise<void>;
}

/** Opens GraphiQL in a new browser context without stored data. */
async function openGraphiQL(origin = server.origin): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  const page = await context.newPage();
  const requested: string[] = [];
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await context.route("**/*", async (route) => {
    const url = route.request().url();
    requested.push(url);
    await (new URL(url).origin === origin ? route.continue() : route.abort());
  });
  await page.goto(`${origin}/`);
  const button = page.locator("button.graphiql-execute-button");
  await button.waitFor();
  const answer = page.locator(".graphiql-response .view-lines");

  return {
    page,
    requested,
    complaints,
    async tab(name) {
      // While the page loads, GraphiQL's tabs move and miss clicks, so this repeats the click.
      const active = page.locator(".graphiql-tab-active", { hasText: name });
      for (;;) {
        await page.locator(".graphiql-tab-button", { hasText: name }).click();
        const opened = active.waitFor({ timeout: 1_000 }).then(
          () => true,
          () => false,
        );
        if (await opened) break;
      }
      // Until GraphiQL has parsed and stored the editor's content, it sends the previous tab's operation
      // name.
      await page.waitForFunction(
        (operation) => localStorage.getItem("graphiql:query")?.includes(operation),
        name,
      );
    },
    execute: () => button.click(),
    async answers(text) {
      // The editor renders non-breaking spaces, and only the visible lines.
      const literal = text.split(".*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      const pattern = new RegExp(literal.join("[^]*").replaceAll(" ", "[\\s\\u00a0]+"));
      await answer.filter({ hasText: pattern }).waitFor();
    },
    async screenshot(name) {
      const folder = process.env.SCREENSHOTS ?? (await temporaryDirectory());
      await page.screenshot({ path: join(folder, `graphiql-${name}.png`) });
    },
    async [Symbol.asyncDispose]() {
      await context.close();
    },
  };
}
