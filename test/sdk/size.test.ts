import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { describe, expect, it } from "vitest";

/** Bytes, minified and gzipped, of what a page loads for this program: at its start, or with all that it may load later. */
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
  it("begins with less than 6,000 bytes", async () => {
    expect(await sizeOf(client, "at the start")).toBeLessThan(6_000);
  });

  it("is less than 10,500 bytes with transfers, events and WebSockets, which are loaded when they are first used", async () => {
    const all = await sizeOf(client, "all");
    expect(all).toBeLessThan(10_500);
    expect(all).toBeGreaterThan((await sizeOf(client, "at the start")) + 2_000);
  });

  it("leaves out what is not used", async () => {
    const errors = await sizeOf('export { ConflictError } from "@tierkeep/sdk";', "all");
    expect(errors).toBeLessThan(700);
    const document = await sizeOf('export { ViewerDocument } from "@tierkeep/sdk";', "all");
    expect(document).toBeLessThan(1_500);
    expect(await sizeOf('import "@tierkeep/sdk"; export const nothing = 1;', "all")).toBeLessThan(100);
  });
});
