import { createHash } from "node:crypto";
import { once } from "node:events";
import { extname } from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { brotliCompress, constants, gunzip, gzip } from "node:zlib";
import { sharedBodyResponse } from "../cached-body.ts";
import { EVENT_LIST } from "./graphiql-events.ts";
import { GRAPHIQL_TABS } from "./graphiql-tabs.ts";
import { withTokenField } from "./graphiql-token.ts";

export interface Page {
  readonly etag: string;
  readonly policy: string;
  readonly br: Uint8Array;
  readonly gzip: Uint8Array;
}

/** The worker's script beside this module: .ts in a clone, .js in the package. */
const THREAD = new URL(`graphiql-thread${extname(import.meta.url)}`, import.meta.url);

/** Pages by whether the server requires a token. */
const pages = new Map<boolean, Promise<Page>>();

/**
 * Returns the Content-Security-Policy of the page. It may load from and connect to this server only. Only the
 * scripts that are part of the page run, and none that is injected. Monaco needs workers from blobs and
 * inline styles.
 */
function policyOf(html: string): string {
  const scripts = [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`,
  );
  return [
    "default-src 'none'",
    `script-src ${scripts.join(" ")} blob:`,
    "worker-src blob:",
    "style-src 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** GraphiQL shows new visitors the first tab's query, but its variables only if they are stored. */
const SHOW_FIRST_VARIABLES = `
  if (localStorage.getItem("graphiql:tabState") === null) {
    localStorage.setItem("graphiql:variables", ${JSON.stringify(GRAPHIQL_TABS[0]?.variables)});
  }
`;

/**
 * With several initial tabs, GraphiQL leaves each but the last with the offset of an animation that never
 * ran. It hides that, but not for a tab under a pressed mouse button: the tab moves away, and the click is
 * lost.
 */
const TAB_POSITION_FIX = "<style>.graphiql-tabs > .graphiql-tab { transform: none !important; }</style>";

/**
 * GraphiQL hides the scroll bar of its tabs, so a mouse cannot reach tabs outside a narrow window. The search
 * box of its documentation shares a line with the heading, where part of it is hidden at any window width.
 */
const OVERFLOW_FIX = `<style>
  .graphiql-tabs { scrollbar-width: thin !important; }
  .graphiql-tabs::-webkit-scrollbar { display: block !important; height: 8px; }
  @media (max-width: 1000px) { .graphiql-logo { display: none !important; } }
  .graphiql-doc-explorer-header { align-items: stretch !important; flex-direction: column !important; gap: 8px; }
  .graphiql-doc-explorer-search { position: relative !important; width: 100% !important; }
  .graphiql-doc-explorer-search input { flex: 1 !important; max-width: none !important; min-width: 0; width: 100% !important; }
</style>`;

/** GraphiQL, offline. The page is built at the first visit and kept in compressed form only. */
export async function graphiql(
  request: Request,
  needsToken: boolean,
  turn: () => Promise<void> | null,
): Promise<Response> {
  let page = pages.get(needsToken);
  if (page === undefined) {
    page = pageFromThread(needsToken).catch((error: unknown) => {
      pages.delete(needsToken);
      throw error;
    });
    pages.set(needsToken, page);
  }
  const made = await page;
  // Many clients may have waited for the page. Sending it to all of them at the same time would block the
  // event loop.
  await turn();
  const headers = new Headers({
    etag: made.etag,
    "cache-control": "no-cache",
    vary: "accept-encoding",
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": made.policy,
  });
  if (request.headers.get("if-none-match")?.includes(made.etag.replace("W/", ""))) {
    return new Response(null, { status: 304, headers });
  }
  const encoding = encodingFor(request.headers.get("accept-encoding"));
  if (encoding !== "identity") headers.set("content-encoding", encoding);
  return sharedBodyResponse(encoding === "identity" ? await plain(made) : made[encoding], headers);
}

const plainPages = new WeakMap<Page, WeakRef<Promise<Buffer>>>();

/**
 * Returns the uncompressed page. Kept only while connections send it, because browsers accept compression.
 */
function plain(made: Page): Promise<Buffer> {
  const known = plainPages.get(made)?.deref();
  if (known !== undefined) return known;
  const inflated = promisify(gunzip)(made.gzip);
  plainPages.set(made, new WeakRef(inflated));
  return inflated;
}

/** Browsers offer brotli only on trustworthy connections; loopback is one. */
function encodingFor(acceptEncoding: string | null): "br" | "gzip" | "identity" {
  if (acceptEncoding === null || acceptEncoding.trim() === "") return "identity";
  const accepted = (acceptEncoding ?? "").toLowerCase();
  for (const encoding of ["br", "gzip"] as const) {
    if (new RegExp(`(?:^|,)\\s*${encoding}\\s*(?:;\\s*q=(?!0(?:\\.0*)?\\s*(?:,|$))|,|$)`).test(accepted))
      return encoding;
  }
  return "identity";
}

/** Builds the page in a worker thread, so that the event loop serves other clients. */
async function pageFromThread(needsToken: boolean): Promise<Page> {
  const thread = new Worker(THREAD, {
    execArgv: [],
    name: "tierkeep graphiql",
    workerData: needsToken,
  });
  try {
    const [made] = await once(thread, "message");
    return made as Page;
  } finally {
    await thread.terminate();
  }
}

/** Builds the page, which takes about a second of processor time. */
export async function makePage(needsToken: boolean): Promise<Page> {
  const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
  const html = renderGraphiQL({
    title: "Tierkeep GraphiQL",
    // Without an endpoint, the page uses its own URL, with any path that a proxy adds.
    subscriptionsProtocol: "SSE",
    // A token would stay in the browser's storage for its next user.
    shouldPersistHeaders: false,
    defaultTabs: GRAPHIQL_TABS.map(({ query, variables }) => ({ query, variables })),
  } as never);
  const page = needsToken ? withTokenField(html) : html;
  const shown = page.replace(
    "<body",
    () => `${TAB_POSITION_FIX}${OVERFLOW_FIX}${EVENT_LIST}<script>${SHOW_FIRST_VARIABLES}</script><body`,
  );
  const bytes = Buffer.from(shown);
  // Qualities at which nine megabytes take a fraction of a second on libuv's threads.
  const [br, zipped] = await Promise.all([
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
    promisify(gzip)(bytes, { level: 6 }),
  ]);
  // Weak, because one page has several encodings.
  return {
    etag: `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    policy: policyOf(shown),
    br,
    gzip: zipped,
  };
}
