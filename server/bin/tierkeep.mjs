#!/usr/bin/env node
// The command. It starts itself again on the Node that the clone has installed, where this one is too old, and with
// settings of Node's that can only be given at a start.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { compileCache, isNewEnough, pinnedNode, required } from "./node.mjs";

// Streams and batches leave short-lived objects and buffers on several threads. Small nurseries, a heap that grows with
// reluctance, few arenas and low thresholds hand their memory back soon, instead of keeping what a moment needed. The
// names in capitals are glibc's; elsewhere they mean nothing.
const NURSERY = "--max-semi-space-size=4";
const THRIFT = "--optimize-for-size";
const settings = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_TRIM_THRESHOLD_: "131072",
  MALLOC_MMAP_THRESHOLD_: "65536",
  NODE_COMPILE_CACHE: compileCache,
};

const newEnough = isNewEnough(process.versions.node);
if (newEnough && (process.execArgv.includes(NURSERY) || typeof process.execve !== "function")) {
  await import("../src/cli/main.ts");
} else if (newEnough || existsSync(pinnedNode)) {
  startAgain(newEnough ? process.execPath : pinnedNode);
} else {
  fail(`it needs Node ${required}, this is ${process.version}. In a clone, \`npm run setup\` installs one.`);
}

function startAgain(node) {
  const self = fileURLToPath(import.meta.url);
  const args = [...process.execArgv, NURSERY, THRIFT, self, ...process.argv.slice(2)];
  const env = { ...settings, ...process.env };
  // In place of this process, where it can: then there is one to signal and one to wait for.
  if (newEnough) process.execve(node, [node, ...args], env);
  const child = spawn(node, args, { stdio: "inherit", env });
  const signals = ["SIGTERM", "SIGINT", "SIGHUP"];
  for (const signal of signals) {
    process.on(signal, () => {
      // Ctrl-C in a terminal reaches the child by itself; twice would mean "now" to it.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => fail(`cannot start ${node}: ${error.message}. It needs Node ${required}.`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    // Die of what the child died of, so that whoever started us sees the truth.
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  });
}

function fail(message) {
  console.error(`tierkeep: ${message}`);
  process.exit(2);
}
