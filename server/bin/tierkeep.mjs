#!/usr/bin/env node
// The command. On a Node that is too old it starts itself again on the one that the clone has installed.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isNewEnough, pinnedNode, required } from "./node.mjs";

if (isNewEnough(process.versions.node)) {
  await import("../src/cli/main.ts");
} else if (existsSync(pinnedNode)) {
  runAgain();
} else {
  fail(`it needs Node ${required}, this is ${process.version}. In a clone, \`npm run setup\` installs one.`);
}

function runAgain() {
  const self = fileURLToPath(import.meta.url);
  const child = spawn(pinnedNode, [...process.execArgv, self, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  const signals = ["SIGTERM", "SIGINT", "SIGHUP"];
  for (const signal of signals) {
    process.on(signal, () => {
      // Ctrl-C in a terminal reaches the child by itself; twice would mean "now" to it.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) =>
    fail(`cannot start ${pinnedNode}: ${error.message}. It needs Node ${required}.`),
  );
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
