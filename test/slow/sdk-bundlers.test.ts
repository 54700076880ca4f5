import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { type Consumer, packSdk } from "../support/packed.ts";
import { type Server, startServer } from "../support/server.ts";

const run = promisify(execFile);

const TOOLS = [
  "esbuild@0.28.2",
  "webpack@5.113.0",
  "rollup@4.68.8",
  "@rollup/plugin-node-resolve@16.0.3",
  "vite@8.4.0",
  "typescript@5.9.3",
  "@types/node@26.6.6",
];

/** A program that uses the SDK as a web page does, including events over both transports. */
const PROGRAM = `
  import { createTierkeep } from "@tierkeep/sdk";

  async function run(url, tenantId) {
    const key = { tenantId, workflowId: "bundled", artifactId: "a.txt" };
    const printed = [];
    for (const transport of ["sse", "ws"]) {
      const tierkeep = createTierkeep({ url, transport });
      const after = await tierkeep.lifecycleEventCursor();
      const events = tierkeep.lifecycleEvents({ where: { tenantId }, after });
      await tierkeep.upload(key, transport);
      printed.push((await events.next()).value.type, await (await tierkeep.download(key)).text());
      await events.return();
    }
    console.log(printed.join(" "));
  }

  run(...globalThis.process.argv.slice(2));
`;

const BUNDLED: Readonly<Record<string, string>> = {
  "esbuild for browsers": `
    import { build } from "esbuild";
    await build({ entryPoints: ["program.mjs"], bundle: true, format: "esm", platform: "browser", outfile: OUT, logLevel: "error" });`,
  "esbuild for Node": `
    import { build } from "esbuild";
    await build({ entryPoints: ["program.mjs"], bundle: true, format: "esm", platform: "node", outfile: OUT, logLevel: "error" });`,
  webpack: `
    import { dirname, basename } from "node:path";
    import webpack from "webpack";
    const stats = await new Promise((resolve, reject) => webpack({
      mode: "production", entry: "./program.mjs", target: ["web", "es2022"],
      experiments: { outputModule: true }, output: { path: dirname(OUT), filename: basename(OUT), module: true, publicPath: "", globalObject: "globalThis" },
      plugins: [new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
    }, (error, done) => (error ? reject(error) : resolve(done))));
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());`,
  rollup: `
    import { nodeResolve } from "@rollup/plugin-node-resolve";
    import { rollup } from "rollup";
    const bundle = await rollup({ input: "program.mjs", plugins: [nodeResolve({ browser: true })], onwarn: ({ message }) => { throw new Error(message); } });
    await bundle.write({ file: OUT, format: "es", inlineDynamicImports: true });`,
  Vite: `
    import { dirname, basename } from "node:path";
    import { build } from "vite";
    await build({ logLevel: "error", build: { outDir: dirname(OUT), emptyOutDir: false, lib: { entry: "program.mjs", formats: ["es"], fileName: () => basename(OUT) } } });`,
};

const TYPED = `
  import { ArtifactNotFoundError, createTierkeep, type Artifact, type Fetch, type TierkeepOptions } from "@tierkeep/sdk";
  import { uploadFile } from "@tierkeep/sdk/node";
  const given: TierkeepOptions = { url: "http://127.0.0.1:4000/graphql", headers: { "x-team": "a" } };
  const fetching: Fetch = (url, init) => fetch(url, init);
  const tierkeep = createTierkeep({ ...given, fetch: fetching });
  export async function tour(): Promise<Artifact | null> {
    const key = { tenantId: "a", workflowId: "b", artifactId: "c" };
    await uploadFile(tierkeep, key, "file.txt");
    try {
      const events = tierkeep.lifecycleEvents();
      console.log((await events.next()).value?.type);
      await events[Symbol.asyncDispose]();
      const bytes: Uint8Array = await (await tierkeep.download(key)).bytes();
      console.log(bytes.length);
    } catch (error) {
      if (error instanceof ArtifactNotFoundError) console.log(error.tier);
    }
    return await tierkeep.artifact(key);
  }
`;

const NODE = { lib: ["es2022"], types: ["node"] };
const DOM = { lib: ["es2022", "dom"], types: [] };
/** A name, the package type of the program, and compiler options that include its platform's types. */
const COMPILED: readonly [string, "module" | "commonjs", object][] = [
  ["nodenext without DOM types", "module", { module: "nodenext", ...NODE }],
  ["nodenext with DOM types alone", "module", { module: "nodenext", ...DOM }],
  ["bundler", "module", { module: "esnext", moduleResolution: "bundler", ...DOM }],
  ["node16 in a CommonJS project", "commonjs", { module: "node16", ...NODE }],
  ["node10", "commonjs", { module: "commonjs", moduleResolution: "node10", ...DOM }],
];

let consumer: Consumer;
let server: Server;

beforeAll(async () => {
  consumer = await packSdk();
  server = await startServer();
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...TOOLS], {
    cwd: consumer.dir,
  });
  await writeFile(join(consumer.dir, "program.mjs"), PROGRAM);
}, 300_000);

afterAll(async () => {
  await server?.stop();
  await server?.[Symbol.asyncDispose]();
  await consumer?.[Symbol.asyncDispose]();
});

describe("a program with the packed SDK and no other package", () => {
  it.each(Object.entries(BUNDLED))("runs after it was bundled by %s", async (name, script) => {
    const out = join(consumer.dir, "out", name.replaceAll(" ", "-"), "bundle.mjs");
    await writeFile(join(consumer.dir, "build.mjs"), script.replaceAll("OUT", JSON.stringify(out)));
    await run(process.execPath, ["build.mjs"], { cwd: consumer.dir });
    // Run it outside the project, where Node cannot resolve modules that are missing from the bundle.
    const elsewhere = join(server.dir, name);
    await cp(dirname(out), elsewhere, { recursive: true });
    const { stdout } = await run(process.execPath, [join(elsewhere, "bundle.mjs"), server.url, newTenant()]);
    expect(stdout).toBe("ARTIFACT_WRITTEN sse ARTIFACT_WRITTEN ws\n");
  });
});

describe("a TypeScript program with the packed SDK, whose declarations are checked as well", () => {
  it.each(COMPILED)("compiles under %s", async (name, type, options) => {
    const dir = join(consumer.dir, "typed", name.replaceAll(" ", "-"));
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, "package.json"), JSON.stringify({ type }));
    await writeFile(join(dir, "program.ts"), TYPED);
    const compilerOptions = { strict: true, target: "es2022", skipLibCheck: false, noEmit: true, ...options };
    await writeFile(join(dir, "tsconfig.json"), JSON.stringify({ compilerOptions }));
    const tsc = join(consumer.dir, "node_modules/typescript/bin/tsc");
    const { stdout } = await run(process.execPath, [tsc, "-p", dir]).catch((error) => error);
    expect(stdout).toBe("");
  });
});
