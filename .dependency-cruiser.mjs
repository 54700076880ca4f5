// Which room may import which, with the reason for each rule. `npm run lint` checks it; CONTRIBUTING.md says how to read it.
const schema = ["schema/src/domain", "schema/src/services"];
const everySchema = ["schema"];
const drivers = [...schema, "server/src/files", "server/src/threads"];
const ports = [...drivers, "server/src/catalog", "server/src/tiers"];
const engine = [...ports, "server/src/engine"];
const jobs = [...engine, "server/src/integrity", "server/src/jobs"];
const product = [...everySchema, "server/src", "server/package.json"];
const npm = "node_modules";
const node = "node:";

const oneWay = "cli → app → http, services → jobs → integrity → engine → catalog, tiers → schema";

/** A file belongs to the longest room that its path starts with. It may import its own room and these. */
const rooms = [
  {
    room: "schema/src/domain",
    may: [],
    why: "the domain is plain rules that the server, the SDK and tests rely on",
  },
  {
    room: "schema/src/services",
    may: ["schema/src/domain"],
    why: "services are interfaces: an npm package or a Node module here would bind every implementation to it",
  },
  {
    room: "schema/src/graphql",
    may: [...schema, npm],
    why: "resolvers call the interfaces in schema/src/services: they contain no rules and no I/O",
  },
  { room: "schema", may: [...everySchema, npm, node], why: "the schema package is below all others" },
  {
    room: "server/src/config",
    may: ["schema/src/domain", npm, node],
    why: "config turns the environment into values and does not know who uses them",
  },
  {
    room: "server/src/files",
    may: ["schema/src/domain", node],
    why: "files wraps the local file system and knows nothing of what is stored in it",
  },
  {
    room: "server/src/threads",
    may: ["schema/src/domain", node],
    why: "threads transports calls to worker threads and knows nothing of what they do",
  },
  { room: "server/src/catalog", may: [...drivers, npm, node], why: `imports run one way: ${oneWay}` },
  { room: "server/src/tiers", may: [...drivers, npm, node], why: `imports run one way: ${oneWay}` },
  { room: "server/src/engine", may: [...ports, npm, node], why: `imports run one way: ${oneWay}` },
  { room: "server/src/integrity", may: [...engine, npm, node], why: `imports run one way: ${oneWay}` },
  { room: "server/src/jobs", may: [...jobs, npm, node], why: `imports run one way: ${oneWay}` },
  { room: "server/src/services", may: [...jobs, npm, node], why: `imports run one way: ${oneWay}` },
  {
    room: "server/src/audit",
    may: [...ports, npm, node],
    why: "the audit log is exported from the catalog alone",
  },
  {
    room: "server/src/backup",
    may: [...ports, "server/src/audit", npm, node],
    why: "a backup copies the catalog, the tiers' stores and the audit log",
  },
  {
    room: "server/src/access",
    may: schema,
    why: "authorization wraps the service interfaces, so the rules hold for every implementation",
  },
  {
    room: "server/src/http",
    may: ["server/src/services", "server/src/access", ...everySchema, npm, node],
    why: "transports call services; app reads the configuration and passes it on as values",
  },
  {
    room: "server/src/app",
    may: [...product, "sdk/src", npm, node],
    not: "server/src/cli",
    why: "app is the composition root: it wires everything below the CLI",
  },
  {
    room: "server/src/cli",
    may: [...product, "server/prove", "sdk/src", npm, node],
    why: "a command is an SDK client, given a URL or an embedded handler",
  },
  {
    room: "server/prove",
    may: [...product, "server/testing", "server/bin", "sdk/src", npm, node],
    not: "server/src/cli",
    why: "the proofs do not depend on how the CLI shows them",
  },
  {
    room: "server/testing",
    may: [...product, "server/prove", "sdk/src", npm, node],
    why: "contract suites, fault injection and fixtures exercise every room",
  },
  { room: "server/dashboard", may: ["sdk/src", npm], why: "the dashboard is an API client like any other" },
  {
    room: "server",
    may: ["server/src/cli", npm, node],
    why: "the command and the package's build enter through the CLI",
  },
  {
    room: "sdk/src/node",
    may: ["sdk/src", node],
    why: "files and folders are Node's part of the SDK: nothing that a browser loads may import it",
  },
  {
    room: "sdk/src",
    may: [],
    why: "the SDK is generated from the schema's text: no server code, no dependency, and it runs in browsers",
  },
  { room: "sdk", may: ["sdk/src", npm, node], why: "the SDK's generator reads schema.graphql as a file" },
  {
    room: "test/bench",
    may: ["test", "sdk/src", ...schema, "server/src/catalog", "server/src/audit", npm, node],
    why: "benchmarks measure the catalog and the audit log on their own, and everything else from outside",
  },
  {
    room: "test",
    may: ["sdk/src", "server/src/cli/commands.ts", npm, node],
    why: "test/ uses public names only (@tierkeep/sdk, the tierkeep command and the type of its command map)",
  },
];

const TEST = "\\.test\\.ts$";
const pattern = (path) => (path === node ? "^node:" : path === npm ? "(^|/)node_modules/" : `^${path}(/|$)`);

const inRoom = ({ room }) => pattern(room);

function ruleFor({ room, may, not, why }) {
  const inner = rooms
    .map((other) => other.room)
    .filter((other) => other.startsWith(`${room}/`))
    .map(pattern);
  const isCore = may.includes(node);
  const base = (isTest) => ({
    severity: "error",
    comment: why,
    from: { path: pattern(room), pathNot: [...inner, ...(isTest ? [] : [TEST])] },
    to: {
      pathNot: [room, ...may, ...(isTest ? ["server/testing", npm] : [])]
        .filter((p) => p !== node)
        .map(pattern),
      ...(isCore || isTest ? { dependencyTypesNot: ["core"] } : {}),
    },
  });
  const rules = [
    { name: `${room} imports one way`, ...base(false) },
    {
      name: `tests of ${room} import one way`,
      ...base(true),
      from: { path: `^${room}/.*${TEST}`, pathNot: inner },
    },
  ];
  if (not !== undefined)
    rules.push({
      name: `${room} does not import ${not}`,
      severity: "error",
      comment: why,
      from: { path: pattern(room), pathNot: [TEST] },
      to: { path: pattern(not) },
    });
  return rules;
}

/** A second driver must fit behind the port, so nothing else may depend on this one. */
function onlyOpensDriver(port, opener, driver) {
  return {
    name: `only ${opener} imports a driver of ${port}`,
    severity: "error",
    comment: "a second driver must fit behind the port without a change elsewhere",
    from: { path: "^server/(src|prove)/", pathNot: [`^${port}/(${driver}/|${opener}\\.ts$)`, TEST] },
    to: { path: `^${port}/${driver}/` },
  };
}

export default {
  forbidden: [
    ...rooms.flatMap(ruleFor),
    {
      name: "no circles",
      severity: "error",
      comment: "a circle, of types too, means that two files are one; move what both need into a third",
      from: {},
      to: { circular: true },
    },
    {
      name: "only tests and prove import server/testing",
      severity: "error",
      comment: "the product does not depend on what tests it",
      from: { path: "^server/src/", pathNot: TEST },
      to: { path: "^server/testing/" },
    },
    onlyOpensDriver("server/src/catalog", "open-catalog", "sqlite"),
    onlyOpensDriver("server/src/tiers", "open-tiers", "filesystem"),
    {
      name: "only server/src/tiers imports storage-error",
      severity: "error",
      comment: "callers of a store get refusals: tiers/refusing.ts is the only mapping of storage errors",
      from: { path: "^server/(src|prove)/", pathNot: ["^server/src/tiers/", TEST] },
      to: { path: "^server/src/tiers/storage-error\\.ts$" },
    },
    ...["schema/src", "server/src"].map((folder) => ({
      name: `every file of ${folder} is in a room`,
      severity: "error",
      comment: "a new room states in the table above what it may import",
      from: {
        path: `^${folder}/`,
        pathNot: rooms.filter(({ room }) => room.startsWith(`${folder}/`)).map(inRoom),
      },
      to: {},
    })),
    {
      name: "every import resolves",
      severity: "error",
      comment: "an import that cannot be resolved fails at run time",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: "tsc",
    tsPreCompilationDeps: true,
    detectJSDocImports: false,
    doNotFollow: { path: "(^|/)node_modules/" },
    exclude: { path: "(^|/)dist/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
      extensions: [".ts", ".mts", ".mjs", ".js", ".json"],
    },
  },
};
