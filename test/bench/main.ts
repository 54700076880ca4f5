// Runs a benchmark, or lists them. Each is a separate script and gets the remaining arguments.
//
//   npm run bench -- NAME [ARGUMENT...]
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const BENCHES: Readonly<Record<string, { readonly file: string; readonly shows: string }>> = {
  ready: {
    file: "ready.ts",
    shows: "time until `serve` is ready, with an empty store and with a filled one [rows]",
  },
  transfer: {
    file: "transfer.ts",
    shows: "speed of large uploads and downloads, compared with the disk and SHA-256 [MiB]",
  },
  audit: {
    file: "audit.ts",
    shows: "cost of the audit log's chain and signatures, and speed of its verification [events]",
  },
  scrub: {
    file: "scrub.ts",
    shows: "duration of reads while the server scrubs at full speed [reads]",
  },
  backup: {
    file: "backup.ts",
    shows: "time of a backup, and wait of writes during a backup [files of 10 KiB] [of 20 MiB]",
  },
  checks: {
    file: "checks.ts",
    shows: "cost of the default checks for a point query [queries]",
  },
  refusals: {
    file: "refusals.ts",
    shows: "cost of refusing requests, compared with a point query [requests]",
  },
  hostile: {
    file: "hostile.ts",
    shows: "effect of a hostile READER and of a client without a token on another tenant [seconds] [pattern]",
  },
  growth: {
    file: "catalog-growth.ts",
    shows: "cost of the catalog's reads and writes as it grows [rows] [writes]",
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
