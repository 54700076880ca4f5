#!/usr/bin/env node
// The command. It starts itself again if this Node is too old, and to apply settings that Node reads only at its start.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { compileCache, installedNode, isNewEnough, required } from "./node.mjs";
import { endWithParent, PARENT_VARIABLE } from "./parent.mjs";

// A clone runs its sources, even if it has been built. The package has no sources.
const SOURCE = "../src/cli/main.ts";
const BUILT = "../dist/src/cli/main.js";

// By default V8 lets the heap grow up to four times between collections, with semi-spaces of 16 MiB. Limits of 30 % and
// 8 MiB reduce the memory of transfers, jobs and pages, for about the same processor time.
const HEAP_GROWTH = "--heap-growing-percent=30";
const NURSERY = "--max-semi-space-size=8";
// Settings of glibc's allocator: few arenas and low thresholds return freed buffers to the system. Elsewhere they have no
// effect.
const settings = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_TRIM_THRESHOLD_: "131072",
  MALLOC_MMAP_THRESHOLD_: "65536",
  NODE_COMPILE_CACHE: compileCache,
};

const newEnough = isNewEnough(process.versions.node);
if (newEnough && (process.execArgv.includes(HEAP_GROWTH) || typeof process.execve !== "function")) {
  endWithParent();
  await import(existsSync(new URL(SOURCE, import.meta.url)) ? SOURCE : BUILT);
} else {
  const node = newEnough ? process.execPath : installedNode();
  if (node === null) {
    fail(
      `it needs Node ${required}, and this is ${process.version}. Install a newer Node, or its npm package beside tierkeep; in a clone, run \`npm run setup\`.`,
    );
  }
  startAgain(node);
}

/** Runs the same command on `node`: replaces this process if possible, otherwise starts a child process. */
function startAgain(node) {
  const self = fileURLToPath(import.meta.url);
  const args = [...process.execArgv, HEAP_GROWTH, NURSERY, self, ...process.argv.slice(2)];
  const env = { ...settings, ...process.env };
  if (typeof process.execve === "function") process.execve(node, [node, ...args], env);
  endWithParent();
  const child = spawn(node, args, {
    stdio: "inherit",
    env: { ...env, [PARENT_VARIABLE]: String(process.pid) },
  });
  const signals = ["SIGTERM", "SIGINT", "SIGHUP"];
  for (const signal of signals) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child too. A second signal would end the child immediately.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => fail(`cannot start ${node}: ${error.message}. It needs Node ${required}.`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    // End with the child's signal, so that the caller of this process sees it.
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  });
}

function fail(message) {
  console.error(`tierkeep: ${message}`);
  process.exit(2);
}
