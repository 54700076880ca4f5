import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause } from "../events/resuming-client.ts";
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
  it("is where / leads, asks no other host for anything, and complains of nothing", async () => {
    await using visit = await openGraphiQL();
    expect(new URL(visit.page.url()).origin).toBe(server.origin);
    expect(visit.requested.length).toBeGreaterThan(0);
    // Answering "no" to them would hide them from the page, not from this list.
    expect(visit.requested.filter((url) => new URL(url).origin !== server.origin)).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });

  it("opens on tabs that are filled: to write, to watch, to move, to run the lifecycle, to look around", async () => {
    await using visit = await openGraphiQL();
    const names = await visit.page.locator(".graphiql-tab-button").allInnerTexts();
    expect(names).toEqual(
      expect.arrayContaining(["WriteArtifact", "WatchEvents", "PromoteToCold", "RunLifecycle", "Browse"]),
    );
  });

  it("writes an artifact when its button is clicked, with nothing else done before", async () => {
    await using visit = await openGraphiQL();
    await visit.execute();
    await visit.answers('"created": true');
    await visit.answers('"tier": "HOT"');
    await visit.screenshot("write");
  });

  it("shows an event live, while somebody else writes", async () => {
    await using visit = await openGraphiQL();
    await visit.tab("WatchEvents");
    await visit.execute();
    // When it has begun to listen cannot be seen, so they write until it shows.
    let shown = false;
    const writing = (async () => {
      for (let n = 0; !shown; n += 1) {
        await write(server, { ...KEY, artifactId: `live-${n}.txt` });
        await pause(100);
      }
    })();
    await visit.answers('"type": "ARTIFACT_WRITTEN"');
    await visit.answers('"artifactId": "live-');
    shown = true;
    await writing;
    await visit.screenshot("watch");
  });

  it("runs the lifecycle dry and lists what it would do", async () => {
    await write(server, { ...KEY, artifactId: "due.txt" });
    await using visit = await openGraphiQL();
    await visit.tab("RunLifecycle");
    await visit.execute();
    await visit.answers('"status": "SUCCEEDED"');
    await visit.screenshot("lifecycle");
  });

  it("runs what the last tab asks: the tiers and the artifacts", async () => {
    await using visit = await openGraphiQL();
    await visit.tab("Browse");
    await visit.execute();
    await visit.answers('"tierStats"');
    await visit.answers('"artifactCount"');
  });
});

describe("GraphiQL of a server with authentication", () => {
  it("sends nothing without a token and says so, then uses the one token in all tabs and for the schema", async () => {
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
  /** Waits until the answer holds this text. */
  answers(text: string): Promise<void>;
  screenshot(name: string): Promise<void>;
}

/** A new visitor: nothing remembered. */
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
      // While the page is still settling, GraphiQL's tabs move about and lose clicks.
      const active = page.locator(".graphiql-tab-active", { hasText: name });
      for (;;) {
        await page.locator(".graphiql-tab-button", { hasText: name }).click();
        const opened = active.waitFor({ timeout: 1_000 }).then(
          () => true,
          () => false,
        );
        if (await opened) break;
      }
      // Until it has parsed and stored what the editor shows, GraphiQL would send the last tab's operation name with it.
      await page.waitForFunction(
        (operation) => localStorage.getItem("graphiql:query")?.includes(operation),
        name,
      );
    },
    execute: () => button.click(),
    async answers(text) {
      // The editor draws spaces that do not break, and only the lines in sight.
      const pattern = new RegExp(
        text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "[\\s\\u00a0]+"),
      );
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
