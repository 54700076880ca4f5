import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { COMMANDS } from "tierkeep/commands";
import { runCommand } from "../support/server.ts";
import type { Seed } from "./seeded-store.ts";

/** What a call writes to stdout with --json; null: the command has no --json, or rejects the call. */
export type JsonShape = "document" | "lines" | null;

/** Each call of a case acts on artifacts of its own, whose names end in this letter. */
export type Copy = "a" | "b" | "c";

export type Mode = "embedded" | "remote";

export interface Call {
  readonly args: (copy: Copy, seed: Seed) => readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 0. */
  readonly exit?: number | Readonly<Record<Mode, number>>;
  readonly json: JsonShape;
  /** The list is empty. */
  readonly none?: true;
  /** Changes the store or writes an event, so other commands must not share the store. */
  readonly changes?: true;
  /** The server rejects a second call while the first one runs. */
  readonly oneByOne?: true;
}

/** The calls of a command, by what each tests. */
export type Calls = Readonly<Record<string, Call>>;

export interface CommandCase {
  /** Whether the command can be a client of a server at --url. */
  readonly client: boolean;
  /** Prepares the folder of a closed store before the calls. The command then gets a store of its own. */
  readonly prepare?: (dir: string) => Promise<void>;
  readonly calls: Calls;
}

const document = (...args: string[]): Call => ({ args: () => args, json: "document" });
const lines = (...args: string[]): Call => ({ args: () => args, json: "lines" });
const refused = (exit: number, ...args: string[]): Call => ({ args: () => args, json: null, exit });

/** One entry for every command: a missing one is a type error. */
export const CASES: Readonly<Record<keyof typeof COMMANDS, CommandCase>> = {
  serve: {
    client: false,
    calls: {
      "invalid settings": {
        args: () => ["serve"],
        env: { PORT: "many", HOT_RETENTION_DAYS: "a week" },
        exit: 2,
        json: null,
      },
    },
  },
  quarantine: {
    client: true,
    calls: {
      "list of an empty quarantine": { ...lines("quarantine", "list"), none: true },
      "empty, dry run": document("quarantine", "empty", "--dry-run"),
      "empty without confirmation": refused(2, "quarantine", "empty"),
    },
  },
  lifecycle: {
    client: true,
    calls: {
      "dry run": { ...document("lifecycle", "run", "--dry-run"), changes: true },
      "dry run with every artifact": {
        ...lines("lifecycle", "run", "--dry-run", "--verbose", "--tenant", "acme"),
        changes: true,
      },
      "run without dry or live": refused(2, "lifecycle", "run"),
      "run with as-of": refused(2, "lifecycle", "run", "--dry-run", "--as-of", "2027-01-01"),
      summary: document("lifecycle", "summary"),
      jobs: lines("lifecycle", "jobs"),
      "cancel an ended run": {
        args: (_, { jobId }) => ["lifecycle", "cancel", jobId],
        json: "document",
      },
      "cancel an unknown run": refused(3, "lifecycle", "cancel", "unknown"),
    },
  },
  jobs: {
    client: true,
    calls: {
      "all kinds": lines("jobs"),
      "one kind and status": lines("jobs", "--kind", "lifecycle", "--status", "succeeded"),
      "tenant without jobs": { ...lines("jobs", "--tenant", "zeta"), none: true },
      "unknown kind": refused(2, "jobs", "--kind", "backup"),
      "cancel an ended job": { args: (_, { jobId }) => ["jobs", "cancel", jobId], json: "document" },
      "cancel an unknown job": refused(3, "jobs", "cancel", "0123456789abcdef0123456789abcdef"),
    },
  },
  write: {
    client: true,
    prepare: async (dir) => {
      await mkdir(join(dir, "site", "assets"), { recursive: true });
      await writeFile(join(dir, "site", "index.html"), "<h1>");
      await writeFile(join(dir, "site", "assets", "style.css"), "body {}");
      await writeFile(join(dir, "site", ".hidden"), "");
    },
    calls: {
      "from stdin": {
        args: (copy) => `write acme/weekly/notes-${copy}.md - --meta author=Ada --tier warm`.split(" "),
        input: "# Notes\n",
        json: "document",
      },
      "if-absent for an existing artifact": {
        ...refused(4, ..."write 東京/週報/まとめ.txt - --if-absent".split(" ")),
        input: "another",
      },
      "empty stdin": { ...refused(2, "write", "acme/weekly/report-a.md", "-"), input: "" },
      "folder, dry run": lines("write", "acme/site", "--tree", "site", "--skip-invalid", "--dry-run"),
      "missing file": refused(2, "write", "acme/weekly/report-a.md", "missing.md"),
      "incomplete key": refused(2, "write", "--tenant", "acme", "-"),
    },
  },
  keys: {
    client: true,
    prepare: async (dir) => {
      const made = "keys create --tenant acme --tenant zeta --role operator --name nightly".split(" ");
      const { code, stderr } = await runCommand(made, { cwd: dir });
      if (code !== 0) throw new Error(stderr);
    },
    calls: {
      // Before the calls that create keys.
      list: lines("keys", "list"),
      create: document(..."keys create --tenant acme --role writer --expires 90d".split(" ")),
      "create without a tenant": refused(2, ..."keys create --role writer".split(" ")),
      "revoke an unknown key": refused(3, "keys", "revoke", "unknown"),
    },
  },
  read: {
    client: true,
    calls: {
      "content to stdout": document("read", "東京/週報/まとめ.txt"),
      "into a file": {
        args: (copy) => `read acme/weekly/model-a.bin -o model-${copy}.bin`.split(" "),
        json: "document",
      },
      "missing artifact": refused(3, "read", "acme/weekly/none"),
      "into a missing folder": refused(2, ..."read acme/weekly/model-a.bin -o none/model.bin".split(" ")),
    },
  },
  ls: {
    client: true,
    calls: {
      "all artifacts": lines("ls"),
      "filtered and sorted": lines(
        "ls",
        "acme/weekly/",
        "--tier",
        "cold",
        "--sort",
        "size:desc",
        "--limit",
        "2",
      ),
      "metadata with control characters": lines("ls", "東京", "--meta", "author=Zoë"),
      "empty list": { ...lines("ls", "unknown"), none: true },
      "two tiers": lines("ls", "acme/weekly", "--tier", "warm", "--tier", "cold"),
      "invalid tenant": refused(2, "ls", "a:b"),
      "repeated option": refused(2, "ls", "--tenant", "acme", "--tenant", "zeta"),
      "unknown option": refused(2, "ls", "--teir", "hot"),
    },
  },
  stat: {
    client: true,
    calls: {
      details: document("stat", "東京/週報/まとめ.txt"),
      "missing artifact": refused(3, "stat", "acme/weekly/none"),
      "incomplete key": refused(2, "stat", "acme"),
    },
  },
  promote: {
    client: true,
    calls: {
      "one artifact": {
        args: (copy) => ["promote", `acme/weekly/report-${copy}.md`, "--to-tier", "cold"],
        json: "document",
        changes: true,
      },
      // A dry run of a single move is an event.
      "dry run with a key longer than the line": {
        ...document(
          ..."promote acme/nightly-regression-of-everything/coverage-report-a.html --to-tier warm --dry-run".split(
            " ",
          ),
        ),
        changes: true,
      },
      "to the same tier": refused(4, "promote", "acme/weekly/model-a.bin", "--to-tier", "cold"),
    },
  },
  purge: {
    client: true,
    calls: {
      "dry run": { ...document("purge", "acme/weekly/report-a.md", "--dry-run"), changes: true },
      "one artifact": {
        args: (copy) => ["purge", `acme/weekly/model-${copy}.bin`, "--yes"],
        json: "document",
        changes: true,
      },
      "without confirmation": refused(2, "purge", "acme/weekly/report-a.md"),
    },
  },
  stats: {
    client: true,
    calls: {
      "by tier and tenant": document("stats"),
      "one tenant": document("stats", "--tenant", "acme", "--tier", "warm"),
      "unknown tenant": refused(3, "stats", "--tenant", "unknown"),
    },
  },
  tenants: {
    client: true,
    calls: { "all tenants": lines("tenants") },
  },
  whoami: {
    client: true,
    calls: { "without authentication": document("whoami") },
  },
  url: {
    client: true,
    calls: {
      "download URL": {
        args: () => ["url", "acme/weekly/report-a.md", "--expires", "10m"],
        exit: { embedded: 6, remote: 0 },
        json: "document",
      },
      "upload URL": {
        args: () => ["url", "acme/weekly/new.md", "--upload", "--if-absent", "--tier", "warm"],
        exit: { embedded: 6, remote: 0 },
        json: "document",
      },
      "missing artifact": refused(3, "url", "acme/weekly/none"),
      "download with an upload option": refused(2, "url", "acme/weekly/report-a.md", "--if-absent"),
      "valid for more than an hour": refused(2, "url", "acme/weekly/report-a.md", "--expires", "2h"),
    },
  },
  restore: {
    client: true,
    calls: {
      list: lines("restore", "--tenant", "acme", "--from-tier", "cold", "--list"),
      "one artifact": {
        args: (copy) => ["restore", `acme/weekly/report-${copy}.md`],
        json: "document",
        changes: true,
      },
      "filtered, dry run": {
        ...document(..."restore --tenant acme --prefix model- --dry-run".split(" ")),
        changes: true,
      },
      "missing artifact": refused(3, "restore", "acme/weekly/none", "--from-tier", "warm"),
      "nothing selected": refused(2, "restore", "--tenant", "acme"),
    },
  },
  events: {
    client: true,
    calls: {
      "newest events": lines("events", "--show", "3"),
      "one tenant and type": lines(
        "events",
        "--since",
        "2h",
        "--tenant",
        "東京",
        "--type",
        "artifact-written",
      ),
      "no events": refused(0, "events", "--type", "purge_error"),
      "invalid time": refused(2, "events", "--since", "yesterday"),
      "invalid type": refused(2, "events", "--type", "foo"),
    },
  },
  reindex: {
    client: true,
    prepare: async (dir) => {
      const tier = join(dir, "artifacts", "hot");
      await mkdir(join(tier, "zeta", "old"), { recursive: true });
      await writeFile(join(tier, "zeta", "old", "report.txt"), "written by another system");
      await writeFile(
        join(tier, "zeta", "old", "report.txt.metadata.json"),
        '{ "retention_override": "10y" }',
      );
      await writeFile(join(tier, "zeta", "old", "orphan.txt.metadata.json"), "{}");
      await writeFile(join(tier, "zeta", "old", ".half.tmp"), "");
    },
    calls: {
      "dry run": { ...lines("reindex", "--dry-run"), exit: 4 },
      "confirm an unknown job": refused(3, "reindex", "--confirm", "unknown"),
      "dry run and confirm": refused(2, "reindex", "--dry-run", "--confirm", "unknown"),
    },
  },
  verify: {
    client: true,
    calls: {
      "no problem": { ...lines("verify"), changes: true, oneByOne: true },
      "one tenant": { ...lines("verify", "--tenant", "東京"), changes: true, oneByOne: true },
    },
  },
  backup: {
    client: false,
    calls: {
      "into a new folder": { args: (copy) => ["backup", `backup-${copy}`], json: "document" },
      "with hard links": { args: (copy) => ["backup", `snapshot-${copy}`, "--snapshot"], json: "document" },
      "into the store": refused(2, "backup", "artifacts/backup"),
      "into a folder that is not empty": refused(4, "backup", "taken"),
    },
    prepare: async (dir) => {
      await mkdir(join(dir, "taken"));
      await writeFile(join(dir, "taken", "something"), "");
    },
  },
  "restore-backup": {
    client: false,
    calls: {
      "not a backup": refused(3, "restore-backup", "artifacts"),
      "verify a missing backup": refused(3, "restore-backup", "nowhere", "--verify"),
    },
  },
  doctor: {
    client: true,
    calls: {
      "no problem": { ...lines("doctor"), changes: true, oneByOne: true },
      "repair without a problem": { ...lines("doctor", "--repair"), changes: true, oneByOne: true },
    },
  },
  gql: {
    client: true,
    calls: {
      "query from stdin": {
        args: () => ["gql", "-", "--variables", '{"tenant":"acme"}'],
        input:
          "query Tiers($tenant: String) { tierStats(tenantId: $tenant) { tier artifactCount totalBytes } }",
        json: "document",
      },
      "partial data with an error": {
        args: () => ["gql", "-"],
        input: `{ viewer { role } artifact(tenantId: "..", workflowId: "w", artifactId: "a") { id } }`,
        exit: 2,
        json: "document",
      },
      "syntax error": { args: () => ["gql", "-"], input: "{ viewer {", exit: 2, json: null },
      "unknown field": { args: () => ["gql", "-"], input: "{ wiewer }", exit: 2, json: null },
      "operation with an unknown field": {
        args: () => ["gql", "-", "--operation", "B"],
        input: "query A { unknown } query B { viewer { role } }",
        exit: 2,
        json: null,
      },
      "several operations without a choice": {
        args: () => ["gql", "-"],
        input: "query A { viewer { role } } query B { viewer { role } }",
        exit: 2,
        json: null,
      },
      "document in the command line": document("gql", "{ viewer { role } }"),
      "missing file": refused(3, "gql", "missing.graphql"),
    },
  },
  settings: {
    client: false,
    calls: {
      "all settings": lines("settings"),
      "confirm without a pending value": document("settings", "confirm"),
    },
  },
  open: {
    client: true,
    calls: {
      "without a display": { args: () => ["open"], exit: { embedded: 6, remote: 0 }, json: "document" },
    },
  },
  completion: {
    client: false,
    calls: {
      "unknown shell": refused(2, "completion", "tcsh"),
    },
  },
  audit: {
    client: false,
    calls: {
      "verify a valid log": document("audit", "verify"),
      "verify with an unknown head": {
        ...document("audit", "verify", "--expect-head", `9999:${"0".repeat(64)}`),
        exit: 7,
      },
      "verify a folder without a log": refused(3, "audit", "verify", "--log-dir", "artifacts"),
      "export of a tenant": lines("audit", "export", "--tenant", "acme"),
      "export with an invalid time": refused(2, "audit", "export", "--since", "yesterday"),
    },
  },
  prove: {
    client: false,
    calls: {
      "one suite": lines(..."prove --only tamper --cycles 20 --seed 7".split(" ")),
      "unknown suite": refused(2, "prove", "--only", "tamper,luck"),
      "no attempts": refused(2, "prove", "--cycles", "0"),
      "missing folder": refused(2, "prove", "--dir", "missing"),
    },
  },
  demo: {
    client: false,
    calls: {
      "from hot to purged": {
        args: () => ["demo", "--count", "3", "--force-age", "--dir", "."],
        json: null,
      },
    },
  },
};
