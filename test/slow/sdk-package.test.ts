import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, cp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeBlocksOf } from "../docs/code-blocks.ts";
import { newTenant } from "../support/client.ts";
import { type Consumer, packSdk } from "../support/packed.ts";
import { type Server, startServer } from "../support/server.ts";

const run = promisify(execFile);
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const TOOLS = path("../node_modules");
const TSC = path("../../node_modules/typescript/bin/tsc");
const README = readFileSync(path("../../sdk/README.md"), "utf8");

const COMPILER = {
  target: "es2022",
  lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable", "esnext.disposable"],
  module: "nodenext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  // Checks the published declaration files too.
  skipLibCheck: false,
  types: ["node"],
};

let consumer: Consumer;
let server: Server;

beforeAll(async () => {
  consumer = await packSdk();
  server = await startServer();
  await copyFile(path("../sdk/consumer/tour.mjs"), join(consumer.dir, "tour.mjs"));
});

afterAll(async () => {
  await server?.stop();
  await server?.[Symbol.asyncDispose]();
  await consumer?.[Symbol.asyncDispose]();
});

async function tour(file: string, before: readonly string[] = [], program = "tour.mjs"): Promise<unknown> {
  const folder = join(consumer.dir, "written");
  await rm(folder, { recursive: true, force: true });
  const args = [...before, program, server.url, newTenant(), folder];
  const { stdout } = await run(file, args, { cwd: consumer.dir });
  return JSON.parse(stdout);
}

const EXPECTED_RESULTS = {
  created: true,
  event: "ARTIFACT_WRITTEN",
  listed: ["note.txt"],
  job: "SUCCEEDED",
  text: "naïve",
  progress: { receivedBytes: 6, totalBytes: 6 },
  down: { fileCount: 2, totalBytes: 7 },
  up: { fileCount: 2, totalBytes: 7 },
  missing: [true, "ArtifactNotFoundError", "ARTIFACT_NOT_FOUND"],
};

/**
 * Returns the path of the Node on the PATH outside node_modules. npm scripts would find the pinned Node
 * first.
 */
function machinesNode(): string {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((each) => !each.includes("node_modules"));
  const found = folders.map((folder) => join(folder, "node")).find((file) => existsSync(file));
  if (found === undefined) throw new Error("no node on the PATH");
  return found;
}

describe("the packed SDK", () => {
  it("is accepted by publint and by arethetypeswrong", async () => {
    await run(process.execPath, [join(TOOLS, "publint/src/cli.js"), "run", consumer.tarball, "--strict"]);
    const attw = join(TOOLS, "@arethetypeswrong/cli/dist/index.js");
    await run(process.execPath, [attw, consumer.tarball, "--exclude-entrypoints", "schema.graphql"]);
  });

  it("has no dependencies, and contains the schema", async () => {
    const manifest = JSON.parse(
      readFileSync(join(consumer.dir, "node_modules/@tierkeep/sdk/package.json"), "utf8"),
    );
    expect(manifest.dependencies).toBeUndefined();
    expect(readFileSync(join(consumer.dir, "node_modules/@tierkeep/sdk/schema.graphql"), "utf8")).toBe(
      readFileSync(path("../../schema/schema.graphql"), "utf8"),
    );
  });

  it("runs in the pinned Node", async () => {
    expect(await tour(process.execPath)).toEqual(EXPECTED_RESULTS);
  });

  it("runs in the machine's Node", async () => {
    expect(await tour(machinesNode())).toEqual(EXPECTED_RESULTS);
  });

  it("runs as CommonJS in the machine's Node", async () => {
    const text = readFileSync(path("../sdk/consumer/tour.mjs"), "utf8");
    const required = text.replace(/^import (\{.*\}) from (".*");$/gm, "const $1 = require($2);");
    expect(required).not.toMatch(/^import/m);
    await writeFile(join(consumer.dir, "tour.cjs"), `(async () => {${required}})();`);
    expect(await tour(machinesNode(), [], "tour.cjs")).toEqual(EXPECTED_RESULTS);
  });

  it("runs in Bun and in Deno, installed from npm", async () => {
    const runtimes = join(consumer.dir, "runtimes");
    await mkdir(runtimes);
    await writeFile(join(runtimes, "package.json"), JSON.stringify({ private: true }));
    const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", "bun@1.4.5", "deno@2.9.6"];
    await run("npm", install, { cwd: runtimes });
    const bin = join(runtimes, "node_modules/.bin");
    expect(await tour(join(bin, "bun"))).toEqual(EXPECTED_RESULTS);
    expect(await tour(join(bin, "deno"), ["run", "--allow-all"])).toEqual(EXPECTED_RESULTS);
  }, 300_000);

  it("follows events over a WebSocket with only a WebSocket class in addition", async () => {
    await symlink(join(TOOLS, "ws"), join(consumer.dir, "node_modules/ws"));
    const program = `
      import { createTierkeep } from "@tierkeep/sdk";
      import WebSocket from "ws";
      const tierkeep = createTierkeep({ url: process.argv[1], transport: "ws", webSocket: WebSocket });
      const after = await tierkeep.lifecycleEventCursor();
      const events = tierkeep.lifecycleEvents({ where: { tenantId: process.argv[2] }, after });
      await tierkeep.upload({ tenantId: process.argv[2], workflowId: "w", artifactId: "a" }, "hi");
      console.log((await events.next()).value.type);
      await events.return();
    `;
    const args = ["--input-type=module", "--eval", program, server.url, newTenant()];
    const { stdout } = await run(machinesNode(), args, { cwd: consumer.dir });
    expect(stdout).toBe("ARTIFACT_WRITTEN\n");
  });
});

describe("the SDK's README", () => {
  const blocks = codeBlocksOf(README).filter(({ language }) => language === "ts");
  const [config, recipe] = ["CodegenConfig", "./gql/gql.js"].map((mark) =>
    blocks.find(({ text }) => text.includes(mark)),
  );
  const here = (text: string) => text.replaceAll("http://127.0.0.1:4000/graphql", server.url);

  it("has programs that compile against the packed types, and run", async () => {
    const programs = blocks.filter((block) => block !== config && block !== recipe);
    expect(programs.length).toBeGreaterThan(6);
    const dir = join(consumer.dir, "programs");
    await mkdir(dir);
    await symlink(path("../../node_modules/@types"), join(consumer.dir, "node_modules/@types"));
    await writeFile(
      join(dir, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...COMPILER, noEmit: true } }),
    );
    for (const { text, line } of programs) await writeFile(join(dir, `line-${line}.ts`), here(text));
    await compile(dir);
    const printed: Record<string, string> = {};
    for (const { line } of programs) {
      const { stdout } = await run(process.execPath, [`line-${line}.ts`], { cwd: dir });
      printed[line] = stdout;
    }
    const all = Object.values(printed).join("");
    for (const part of ["it is in HOT", "report.md", "SUCCEEDED", "year,sales", "up plots/sales.svg"]) {
      expect(all).toContain(part);
    }
    expect(all).toContain("down plots/sales.svg");
    expect(all).toContain("ARTIFACT_WRITTEN news.txt");
    expect(readFileSync(join(dir, "back/plots/sales.svg"), "utf8")).toBe("<svg/>");
  });

  it("has a recipe for custom documents that generates, compiles and runs", async () => {
    const program = here(recipe?.text ?? "");
    const dir = join(consumer.dir, "recipe");
    await mkdir(join(dir, "src"), { recursive: true });
    await mkdir(join(dir, "node_modules/@tierkeep"), { recursive: true });
    await cp(join(consumer.dir, "node_modules/@tierkeep/sdk"), join(dir, "node_modules/@tierkeep/sdk"), {
      recursive: true,
    });
    for (const name of ["@graphql-codegen", "@graphql-typed-document-node", "graphql"]) {
      await symlink(join(TOOLS, name), join(dir, "node_modules", name));
    }
    await symlink(path("../../node_modules/@types"), join(dir, "node_modules/@types"));
    await writeFile(join(dir, "package.json"), JSON.stringify({ type: "module" }));
    await writeFile(join(dir, "codegen.ts"), config?.text ?? "");
    await writeFile(join(dir, "src/largest.ts"), program);
    await writeFile(
      join(dir, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: { ...COMPILER, skipLibCheck: true, rootDir: "src", outDir: "out" },
        include: ["src"],
      }),
    );
    await run(process.execPath, [join(TOOLS, "@graphql-codegen/cli/esm/bin.js"), "--config", "codegen.ts"], {
      cwd: dir,
    });
    await compile(dir);
    const body = new Uint8Array(5_000);
    await fetch(`${server.origin}/artifacts/acme/recipe/largest.bin`, { method: "PUT", body });
    const { stdout } = await run(process.execPath, ["out/largest.js"], { cwd: dir });
    expect(stdout).toContain("largest.bin 5000");
    // Programs with type errors must not compile.
    await writeFile(
      join(dir, "src/variables.ts"),
      program.replace('{ tenantId: "acme" }', "{ tenantId: 7 }"),
    );
    await writeFile(join(dir, "src/fields.ts"), program.replace("toFixed", "toUpperCase"));
    const errors = await compile(dir).then(
      () => "",
      (error: Error) => error.message,
    );
    expect(errors).toMatch(/variables\.ts[\s\S]*'number' is not assignable to type 'string'/);
    expect(errors).toMatch(/fields\.ts.*'toUpperCase' does not exist on type 'number'/);
  });
});

/** @throws Error with the compiler's output */
async function compile(dir: string): Promise<void> {
  await run(process.execPath, [TSC, "-p", dir], { cwd: dir }).catch(({ stdout }: { stdout: string }) => {
    throw new Error(stdout);
  });
}
