// Imports run one way. Checks every import of the workspace against the table below, and says why when one is refused.
// Usage: node .ci/imports.mjs [FOLDER]
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const npm = "npm packages";
const node = "node:*";
const commandMap = "tierkeep/commands";
const schema = ["schema/src/domain", "schema/src/services"];
const everySchema = [...schema, "schema/src/graphql", "schema"];
const flow =
  "cli -> app -> http, services -> jobs -> integrity -> engine -> catalog, tiers -> schema; access stands on the services' interfaces";
const ports = [...schema, "server/src/catalog", "server/src/tiers"];
const core = [...ports, "server/src/engine"];
const work = [...core, "server/src/integrity", "server/src/jobs"];
const upper = [...work, "server/src/services", "server/src/audit", "server/src/backup"];
const everything = [...upper, "server/src/access", "server/src/http", "server/src/app", "server/src/config"];

// A file belongs to the longest room that its path starts with, and may always import from its own room.
/** @type {{ from: string, mayImport: string[], why: string }[]} */
const table = [
  {
    from: "schema/src/domain",
    mayImport: [],
    why: "the domain is plain rules that server, SDK and tests can all rely on: it imports nothing but its siblings",
  },
  {
    from: "schema/src/services",
    mayImport: ["schema/src/domain"],
    why: "services are interfaces in words of the domain: a package or a module of Node here would tie every implementation to it",
  },
  {
    from: "schema/src/graphql",
    mayImport: [...schema, npm],
    why: "resolvers call the interfaces in schema/src/services: no rules, no I/O, no server in them",
  },
  {
    from: "schema",
    mayImport: [...everySchema, npm, node],
    why: "the schema package stands below all others and imports none of them",
  },
  {
    from: "server/src/config",
    mayImport: ["schema/src/domain", npm, node],
    why: "config turns the environment into values: it knows nothing of who will use them",
  },
  { from: "server/src/catalog", mayImport: [...schema, npm, node], why: `imports run one way: ${flow}` },
  { from: "server/src/tiers", mayImport: [...schema, npm, node], why: `imports run one way: ${flow}` },
  { from: "server/src/engine", mayImport: [...ports, npm, node], why: `imports run one way: ${flow}` },
  { from: "server/src/integrity", mayImport: [...core, npm, node], why: `imports run one way: ${flow}` },
  {
    from: "server/src/jobs",
    mayImport: [...core, "server/src/integrity", npm, node],
    why: `imports run one way: ${flow}`,
  },
  { from: "server/src/services", mayImport: [...work, npm, node], why: `imports run one way: ${flow}` },
  { from: "server/src/audit", mayImport: [...ports, npm, node], why: `imports run one way: ${flow}` },
  {
    from: "server/src/backup",
    mayImport: [...ports, "server/src/audit", npm, node],
    why: `imports run one way: ${flow}`,
  },
  {
    from: "server/src/access",
    mayImport: schema,
    why: "who may do what is decided by the services' interfaces alone: whatever stands behind them, the rules are the same",
  },
  {
    from: "server/src/http",
    mayImport: ["server/src/services", "server/src/access", ...everySchema, npm, node],
    why: `imports run one way: ${flow}; app reads the configuration and passes it on as values`,
  },
  {
    from: "server/src/app",
    mayImport: [...everything, ...everySchema, "server", "sdk/src", npm, node],
    why: `imports run one way: ${flow}; the SDK's documents are what ALLOWED_OPERATIONS=sdk allows; app is the only composition root`,
  },
  {
    from: "server/src/cli",
    mayImport: [...everything, ...everySchema, "server/prove", "server", "sdk/src", npm, node],
    why: `imports run one way: ${flow}`,
  },
  {
    from: "server/testing",
    mayImport: [...everything, ...everySchema, "server/prove", "server/src/cli", npm, node],
    why: "contract suites, fault injection and fixtures work on everything, and only tests and prove import them",
  },
  {
    from: "server/prove",
    mayImport: [...everything, ...everySchema, "server/testing", "server", "sdk/src", npm, node],
    why: "the product does not depend on its proofs, and the suites do not depend on how the CLI shows them",
  },
  {
    from: "server/dashboard",
    mayImport: ["sdk/src", npm],
    why: "the dashboard is an API client like any other",
  },
  {
    from: "server",
    mayImport: ["server/src/cli", npm, node],
    why: "the command and the package's tools come in through the CLI, and nothing else does",
  },
  {
    from: "sdk/src",
    mayImport: [],
    why: "the SDK is generated from the schema's text: it drags in no server, no schema code and no dependency, and runs in browsers",
  },
  {
    from: "sdk/src/node",
    mayImport: ["sdk/src", node],
    why: "it is the SDK's part for those who have a file system: nothing that browsers load may import it",
  },
  {
    from: "sdk",
    mayImport: [npm, node],
    why: "the SDK's tools read schema.graphql as a file; nothing of server or schema is code to them",
  },
  {
    from: "test",
    mayImport: ["sdk/src", commandMap, npm, node],
    why: "test/ proves things from outside, by public names (@tierkeep/sdk, the tierkeep command and the type of its map): what needs an inside stands beside it",
  },
  {
    from: "test/bench",
    mayImport: ["test", "sdk/src", ...schema, "server/src/catalog", "server/src/audit", npm, node],
    why: "benchmarks measure the catalog and the audit log by themselves, and everything else from outside",
  },
];
// In these folders only the rooms that the table names exist.
const closed = ["schema/src", "server/src"];
// Unit tests stand beside their code and may use the test tools.
const unitTestsMayImport = [npm, node, "server/testing"];

const root = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), ".."));
const problems = [];
let files = 0;
for (const top of ["schema", "server", "sdk", "test"]) {
  for (const path of sources(top)) {
    files += 1;
    check(path);
  }
}
for (const problem of problems) console.error(problem);
console.error(`imports: ${files} files checked, ${problems.length} refused`);
process.exitCode = problems.length > 0 ? 1 : 0;

function* sources(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && entry.name !== "node_modules" && entry.name !== "dist") yield* sources(path);
    else if (/\.(ts|tsx|mts|js|mjs)$/.test(entry.name) && entry.isFile()) yield path;
  }
}

function check(path) {
  const text = readFileSync(join(root, path), "utf8");
  const room = roomOf(path);
  if (
    closed.includes(room.from) ||
    closed.some((folder) => path.startsWith(`${folder}/`) && !room.from.startsWith(`${folder}/`))
  ) {
    problems.push(
      `${path}: stands in no room that .ci/imports.mjs names\n  why: a new room says in that table what it may import`,
    );
    return;
  }
  const isTest = /\.test\.tsx?$/.test(path);
  const allowed = [room.from, ...room.mayImport, ...(isTest ? unitTestsMayImport : [])];
  for (const { specifier, line } of importsOf(text)) {
    const refused = refusal(path, specifier, allowed);
    if (refused) problems.push(`${path}:${line}: ${specifier}: ${refused}\n  why: ${room.why}`);
  }
}

/** @returns {string | undefined} */
function refusal(path, specifier, allowed) {
  let target;
  if (specifier.startsWith(".")) {
    const file = relative(root, resolve(root, dirname(path), specifier)).replaceAll("\\", "/");
    target = roomOf(file).from;
    const leaves = file.split("/")[0] !== path.split("/")[0];
    if (leaves && !allowed.includes(target)) return "across packages, import by the package's name";
  } else if (specifier.startsWith("node:")) target = node;
  else if (specifier === "@tierkeep/sdk" || specifier === "@tierkeep/sdk/node") target = "sdk/src";
  else if (specifier.startsWith("@tierkeep/schema/")) {
    target = roomOf(
      `schema/${specifier.slice("@tierkeep/schema/".length).replace(/^(?!schema\.graphql$)/, "src/")}`,
    ).from;
  } else if (specifier === commandMap) target = commandMap;
  else if (/^(@tierkeep\/|tierkeep(\/|$))/.test(specifier)) return "not a public name";
  else target = npm;
  const packageName = `npm:${specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/")}`;
  if (allowed.includes(target) || (target === npm && allowed.includes(packageName))) return undefined;
  return `${roomOf(path).from} may not import ${target}`;
}

function roomOf(path) {
  const rooms = table.filter(({ from }) => path === from || path.startsWith(`${from}/`));
  const room = rooms.sort((a, b) => b.from.length - a.from.length)[0];
  return room ?? { from: path, mayImport: [], why: "" };
}

function* importsOf(text) {
  const patterns = [
    /^[ \t]*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"'\n]+)["']/gm,
    /^[ \t]*import\s*["']([^"'\n]+)["']/gm,
    /^(?![ \t]*(?:\/\/|\*|\/\*)).*?\b(?:import|require|import\.meta\.resolve)\(\s*["']([^"'\n]+)["']/gm,
  ];
  for (const pattern of patterns) {
    for (const match of text.matchAll(pattern)) {
      const line = text.slice(0, match.index + match[0].length).split("\n").length;
      yield { specifier: match[1], line };
    }
  }
}
