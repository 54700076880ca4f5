// Runs a benchmark, or says which there are. Each is a script of its own and takes the rest of the arguments.
//
//   npm run bench -- NAME [ARGUMENT...]
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const BENCHES: Readonly<Record<string, { readonly file: string; readonly shows: string }>> = {
  ready: {
    file: "ready.ts",
    shows: "how long `serve` takes to be ready, with an empty store and with a filled one [rows]",
  },
  transfer: {
    file: "transfer.ts",
    shows: "how fast large bytes go up and down, against the disk and SHA-256 [MiB]",
  },
  audit: {
    file: "audit.ts",
    shows: "what the audit log's chain and signatures cost, and how fast it is verified [events]",
  },
  scrub: {
    file: "scrub.ts",
    shows: "what reads cost while the server scrubs as fast as it may [reads]",
  },
  backup: {
    file: "backup.ts",
    shows: "how long a backup takes, and what writers wait for meanwhile [files of 10 KiB] [of 20 MiB]",
  },
  checks: {
    file: "checks.ts",
    shows: "what the checks that are on by default cost a point query [queries]",
  },
  refusals: {
    file: "refusals.ts",
    shows: "what it costs to refuse, against a point query [requests]",
  },
  hostile: {
    file: "hostile.ts",
    shows: "what a hostile READER and a client without a token do to another tenant [seconds] [pattern]",
  },
  growth: {
    file: "catalog-growth.ts",
    shows: "what the catalog's reads and writes cost as it grows [rows] [writes]",
  },
};

const [name = "", ...args] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined) {
  const list = Object.entries(BENCHES).map(([each, { shows }]) => `  ${each.padEnd(10)} ${shows}`);
  console.error(["npm run bench -- NAME [ARGUMENT...]", ...list].join("\n"));
  process.exitCode = name === "" ? 0 : 2;
} else {
  const script = fileURLToPath(new URL(bench.file, import.meta.url));
  const { status, signal } = spawnSync(process.execPath, [script, ...args], { stdio: "inherit" });
  process.exitCode = status ?? (signal === null ? 1 : 128);
}
