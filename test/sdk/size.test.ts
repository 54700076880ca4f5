import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { describe, expect, it } from "vitest";

/** Returns the minified and gzipped size of a program in bytes: its initial part, or all parts. */
async function sizeOf(program: string, parts: "at the start" | "all") {
  const later = /\/(?:upload|download|event-connections)\.ts$/;
  const entry = "virtual:program";
  const bundle = await rolldown({
    input: entry,
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    platform: "browser",
    external: parts === "all" ? [] : [later],
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === entry ? `${import.meta.dirname}/program.js` : null),
        load: (id) => (id.endsWith("/program.js") ? program : null),
      },
    ],
  });
  const { output } = await bundle.generate({ minify: true, codeSplitting: false });
  await bundle.close();
  return gzipSync(output[0].code, { level: 9 }).length;
}

const client = 'export { createTierkeep } from "@tierkeep/sdk";';

describe("the SDK in a page", () => {
  it("initially loads less than 6,000 bytes", async () => {
    expect(await sizeOf(client, "at the start")).toBeLessThan(6_000);
  });

  it("loads less than 10,500 bytes in total, with transfers, events and WebSockets on first use", async () => {
    const all = await sizeOf(client, "all");
    expect(all).toBeLessThan(10_500);
    expect(all).toBeGreaterThan((await sizeOf(client, "at the start")) + 2_000);
  });

  it("excludes unused exports from the bundle", async () => {
    const errors = await sizeOf('export { ConflictError } from "@tierkeep/sdk";', "all");
    expect(errors).toBeLessThan(700);
    const document = await sizeOf('export { ViewerDocument } from "@tierkeep/sdk";', "all");
    expect(document).toBeLessThan(1_500);
    expect(await sizeOf('import "@tierkeep/sdk"; export const nothing = 1;', "all")).toBeLessThan(100);
  });
});
