// A server that was started through another process ends with that process. The parent can forward SIGTERM but not
// SIGKILL, so the server watches its parent's id. This works on Linux and macOS.

import process from "node:process";

/** Environment variable with the process id of the parent to watch. Set by npm scripts and by a Node that starts another. */
export const PARENT_VARIABLE = "TIERKEEP_PARENT_PID";

const INTERVAL_MS = 100;

/**
 * Kills this process as soon as the parent named by TIERKEEP_PARENT_PID has ended. Without the variable it does nothing.
 * Removes the variable, so that processes started from here do not inherit it.
 */
export function endWithParent() {
  const parent = process.env[PARENT_VARIABLE];
  delete process.env[PARENT_VARIABLE];
  if (!parent) return;
  const check = () => {
    // When a parent ends, its children get another parent.
    if (String(process.ppid) !== parent) process.kill(process.pid, "SIGKILL");
  };
  check();
  setInterval(check, INTERVAL_MS).unref();
}
