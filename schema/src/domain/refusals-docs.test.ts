import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { REFUSALS } from "./refusals.ts";

const page = readFileSync(new URL("../../../docs/http.md", import.meta.url), "utf8");
const errors = page.slice(page.indexOf("## Errors"), page.indexOf("## Headers of every response"));

/** Rows of the table of errors. */
const rows = [...errors.matchAll(/^\| (\d{3}) \| ([^|]*) \|[^|]*\| ([^|]*) \|$/gm)].map(
  ([, status, codes = "", retry = ""]) => ({
    status: Number(status),
    codes: [...codes.matchAll(/[A-Z_]{4,}/g)].map(([code]) => code),
    mayRetry: /^(?:yes|after )/.test(retry),
  }),
);

describe("docs/http.md", () => {
  it.each(Object.entries(REFUSALS).filter(([, { raised }]) => raised))(
    "lists %s with its status, and says whether to retry",
    (code, { http, retryable }) => {
      const found = rows.filter(({ codes, status }) => codes.includes(code) && status === http);
      expect(found.map(({ mayRetry }) => mayRetry)).toEqual([retryable]);
    },
  );
});
