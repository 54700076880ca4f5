import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { COMMANDS } from "tierkeep/commands";
import { runCommand } from "../support/server.ts";
import type { Seed } from "./seeded-store.ts";

/** What stdout is with --json; null: the command has no --json. */
export type JsonShape = "document" | "lines" | null;

export type Copy = "a" | "b" | "c";

export type Mode = "embedded" | "remote";

export interface Call {
  /** It runs three times in one store, at once unless `oneByOne`, for people and for programs: what it changes it changes for artifacts of its copy. */
  readonly args: (copy: Copy, seed: Seed) => readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 0. */
  readonly exit?: number | Readonly<Record<Mode, number>>;
  readonly json: JsonShape;
  /** There is nothing to show, and that is no error. */
  readonly none?: true;
  /** Shows what other calls leave behind, and so needs a store in which there was none. */
  readonly undisturbed?: true;
  /** The server refuses it while the same call is under way. */
  readonly oneByOne?: true;
}

/** By what each call shows. */
export type Calls = Readonly<Record<string, Call>>;

export interface CommandCase {
  /** Whether it is a client, of the store itself or of a server at --url. */
  readonly client: boolean;
  /** What is done to the folder of a store, at rest, before anything is called there. */
  readonly prepare?: (dir: string) => Promise<void>;
  readonly calls: Calls;
}

const document = (...args: string[]): Call => ({ args: () => args, json: "document" });
const lines = (...args: string[]): Call => ({ args: () => args, json: "lines" });
const refused = (exit: number, ...args: string[]): Call => ({ args: () => args, json: null, exit });

/** A command that is not here does not compile. */
export const CASES: Readonly<Record<keyof typeof COMMANDS, CommandCase>> = {
  serve: {
    client: false,
    calls: {
      "refuses a setting that is wrong": {
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
      "list, empty": { ...lines("quarantine", "list"), none: true },
      "empty, dry": document("quarantine", "empty", "--dry-run"),
      "empty, unasked and unconfirmed": refused(2, "quarantine", "empty"),
    },
  },
  lifecycle: {
    client: true,
    calls: {
      "run, dry": document("lifecycle", "run", "--dry-run"),
      "run, item by item": lines("lifecycle", "run", "--dry-run", "--verbose", "--tenant", "acme"),
      "run, neither dry nor live": refused(2, "lifecycle", "run"),
      "run, as of another time": refused(2, "lifecycle", "run", "--dry-run", "--as-of", "2027-01-01"),
      summary: { ...document("lifecycle", "summary"), undisturbed: true },
      jobs: { ...lines("lifecycle", "jobs"), undisturbed: true },
      "cancel, too late": {
        args: (_, { jobId }) => ["lifecycle", "cancel", jobId],
        json: "document",
      },
      "cancel, what is not there": refused(3, "lifecycle", "cancel", "nobody"),
    },
  },
  jobs: {
    client: true,
    calls: {
      "all kinds": { ...lines("jobs"), undisturbed: true },
      "of one kind and status": {
        ...lines("jobs", "--kind", "lifecycle", "--status", "succeeded"),
        undisturbed: true,
      },
      "of a tenant without jobs": { ...lines("jobs", "--tenant", "zeta"), none: true },
      "of an unknown kind": refused(2, "jobs", "--kind", "backup"),
      "cancel, too late": { args: (_, { jobId }) => ["jobs", "cancel", jobId], json: "document" },
      "cancel, what is not there": refused(3, "jobs", "cancel", "0123456789abcdef0123456789abcdef"),
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
      "what comes from stdin": {
        args: (copy) => `write acme/weekly/notes-${copy}.md - --meta author=Ada --tier warm`.split(" "),
        input: "# Notes\n",
        json: "document",
      },
      "only if there is none": {
        ...refused(4, ..."write 東京/週報/まとめ.txt - --if-absent".split(" ")),
        input: "another",
      },
      "stdin without a byte": { ...refused(2, "write", "acme/weekly/report-a.md", "-"), input: "" },
      "a folder, dry": lines("write", "acme/site", "--tree", "site", "--skip-invalid", "--dry-run"),
      "a file that is not there": refused(2, "write", "acme/weekly/report-a.md", "missing.md"),
      "a key in part": refused(2, "write", "--tenant", "acme", "-"),
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
      create: document(..."keys create --tenant acme --role writer --expires 90d".split(" ")),
      "create, for nobody": refused(2, ..."keys create --role writer".split(" ")),
      list: { ...lines("keys", "list"), undisturbed: true },
      "revoke, what is not there": refused(3, "keys", "revoke", "nobody"),
    },
  },
  read: {
    client: true,
    calls: {
      "its content": document("read", "東京/週報/まとめ.txt"),
      "into a file": {
        args: (copy) => `read acme/weekly/model-a.bin -o model-${copy}.bin`.split(" "),
        json: "document",
      },
      "what is not there": refused(3, "read", "acme/weekly/none"),
      "into a folder that is not there": refused(
        2,
        ..."read acme/weekly/model-a.bin -o none/model.bin".split(" "),
      ),
    },
  },
  ls: {
    client: true,
    calls: {
      "all there is": lines("ls"),
      "by filter and order": lines(
        "ls",
        "acme/weekly/",
        "--tier",
        "cold",
        "--sort",
        "size:desc",
        "--limit",
        "2",
      ),
      "with metadata that a terminal would obey": lines("ls", "東京", "--meta", "author=Zoë"),
      nothing: { ...lines("ls", "nobody"), none: true },
      "of two tiers": lines("ls", "acme/weekly", "--tier", "warm", "--tier", "cold"),
      "a name that no tenant can have": refused(2, "ls", "a:b"),
      "an option given twice": refused(2, "ls", "--tenant", "acme", "--tenant", "zeta"),
      "an option that it has not": refused(2, "ls", "--teir", "hot"),
    },
  },
  stat: {
    client: true,
    calls: {
      "what is known": document("stat", "東京/週報/まとめ.txt"),
      "what is not there": refused(3, "stat", "acme/weekly/none"),
      "no key": refused(2, "stat", "acme"),
    },
  },
  promote: {
    client: true,
    calls: {
      "one by its key": {
        args: (copy) => ["promote", `acme/weekly/report-${copy}.md`, "--to-tier", "cold"],
        json: "document",
      },
      "dry, a key longer than the line": document(
        ..."promote acme/nightly-regression-of-everything/coverage-report-a.html --to-tier warm --dry-run".split(
          " ",
        ),
      ),
      "to where it is": refused(4, "promote", "acme/weekly/model-a.bin", "--to-tier", "cold"),
    },
  },
  purge: {
    client: true,
    calls: {
      dry: document("purge", "acme/weekly/report-a.md", "--dry-run"),
      "one by its key": {
        args: (copy) => ["purge", `acme/weekly/model-${copy}.bin`, "--yes"],
        json: "document",
      },
      "unasked and unconfirmed": refused(2, "purge", "acme/weekly/report-a.md"),
    },
  },
  stats: {
    client: true,
    calls: {
      "by tier and tenant": document("stats"),
      "of one tenant": document("stats", "--tenant", "acme", "--tier", "warm"),
      "of nobody": refused(3, "stats", "--tenant", "nobody"),
    },
  },
  tenants: {
    client: true,
    calls: { "all of them": lines("tenants") },
  },
  whoami: {
    client: true,
    calls: { "the caller without authentication": document("whoami") },
  },
  url: {
    client: true,
    calls: {
      "to download": {
        args: () => ["url", "acme/weekly/report-a.md", "--expires", "10m"],
        exit: { embedded: 6, remote: 0 },
        json: "document",
      },
      "to upload": {
        args: () => ["url", "acme/weekly/new.md", "--upload", "--if-absent", "--tier", "warm"],
        exit: { embedded: 6, remote: 0 },
        json: "document",
      },
      "what is not there": refused(3, "url", "acme/weekly/none"),
      "a download with an option for uploads": refused(2, "url", "acme/weekly/report-a.md", "--if-absent"),
      "for longer than an hour": refused(2, "url", "acme/weekly/report-a.md", "--expires", "2h"),
    },
  },
  restore: {
    client: true,
    calls: {
      list: lines("restore", "--tenant", "acme", "--from-tier", "cold", "--list"),
      "one by its key": {
        args: (copy) => ["restore", `acme/weekly/report-${copy}.md`],
        json: "document",
      },
      "all that a filter finds, dry": document(
        ..."restore --tenant acme --prefix model- --dry-run".split(" "),
      ),
      "what is not there": refused(3, "restore", "acme/weekly/none", "--from-tier", "warm"),
      "what nobody has chosen": refused(2, "restore", "--tenant", "acme"),
    },
  },
  events: {
    client: true,
    calls: {
      "the newest": lines("events", "--show", "3"),
      "of one tenant and type": lines(
        "events",
        "--since",
        "2h",
        "--tenant",
        "東京",
        "--type",
        "artifact-written",
      ),
      none: refused(0, "events", "--type", "purge_error"),
      "a time that is none": refused(2, "events", "--since", "yesterday"),
      "a type that is none": refused(2, "events", "--type", "foo"),
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
      "dry, item by item": { ...lines("reindex", "--dry-run"), exit: 4 },
      "confirmed, what is not there": refused(3, "reindex", "--confirm", "nobody"),
      "dry and confirmed": refused(2, "reindex", "--dry-run", "--confirm", "nobody"),
    },
  },
  verify: {
    client: true,
    calls: {
      "that all is well": { ...lines("verify"), oneByOne: true },
      "that one tenant's is": { ...lines("verify", "--tenant", "東京"), oneByOne: true },
    },
  },
  backup: {
    client: false,
    calls: {
      "into a new folder": { args: (copy) => ["backup", `backup-${copy}`], json: "document" },
      "by hard links": { args: (copy) => ["backup", `snapshot-${copy}`, "--snapshot"], json: "document" },
      "into the store": refused(2, "backup", "artifacts/backup"),
      "into a folder that holds something": refused(4, "backup", "taken"),
    },
    prepare: async (dir) => {
      await mkdir(join(dir, "taken"));
      await writeFile(join(dir, "taken", "something"), "");
    },
  },
  "restore-backup": {
    client: false,
    calls: {
      "what is no backup": refused(3, "restore-backup", "artifacts"),
      "verify, what is no backup": refused(3, "restore-backup", "nowhere", "--verify"),
    },
  },
  doctor: {
    client: true,
    calls: {
      "that all is well": { ...lines("doctor"), oneByOne: true },
      "that there is nothing to repair": { ...lines("doctor", "--repair"), oneByOne: true },
    },
  },
  gql: {
    client: true,
    calls: {
      "a query from stdin": {
        args: () => ["gql", "-", "--variables", '{"tenant":"acme"}'],
        input:
          "query Tiers($tenant: String) { tierStats(tenantId: $tenant) { tier artifactCount totalBytes } }",
        json: "document",
      },
      "data beside a refusal": {
        args: () => ["gql", "-"],
        input: `{ viewer { role } artifact(tenantId: "..", workflowId: "w", artifactId: "a") { id } }`,
        exit: 2,
        json: "document",
      },
      "what does not parse": { args: () => ["gql", "-"], input: "{ viewer {", exit: 2, json: null },
      "what does not fit the schema": { args: () => ["gql", "-"], input: "{ wiewer }", exit: 2, json: null },
      "one of several": {
        args: () => ["gql", "-", "--operation", "B"],
        input: "query A { nobody } query B { viewer { role } }",
        exit: 2,
        json: null,
      },
      "which of several?": {
        args: () => ["gql", "-"],
        input: "query A { viewer { role } } query B { viewer { role } }",
        exit: 2,
        json: null,
      },
      "a document in the command line": document("gql", "{ viewer { role } }"),
      "no such file": refused(3, "gql", "missing.graphql"),
    },
  },
  settings: {
    client: false,
    calls: {
      "those of the store": lines("settings"),
      "confirm, where nothing waits": document("settings", "confirm"),
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
      "a shell that it does not know": refused(2, "completion", "tcsh"),
    },
  },
  audit: {
    client: false,
    calls: {
      "verify, what stands": document("audit", "verify"),
      "verify, a head that is not there": {
        ...document("audit", "verify", "--expect-head", `9999:${"0".repeat(64)}`),
        exit: 7,
      },
      "verify, a folder without a log": refused(3, "audit", "verify", "--log-dir", "artifacts"),
      "export, of a tenant": lines("audit", "export", "--tenant", "acme"),
      "export, a time that is none": refused(2, "audit", "export", "--since", "yesterday"),
    },
  },
  prove: {
    client: false,
    calls: {
      "one suite": lines(..."prove --only tamper --cycles 20 --seed 7".split(" ")),
      "a suite that there is none of": refused(2, "prove", "--only", "tamper,luck"),
      never: refused(2, "prove", "--cycles", "0"),
      "a folder that is not there": refused(2, "prove", "--dir", "missing"),
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
