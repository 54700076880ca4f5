import { collectDefaultMetrics, Registry } from "prom-client";

let registry: Registry | null = null;

/** CPU, memory, file handles, garbage collection and event loop lag of this process, by prom-client's own collectors. */
export function processMetrics(): Registry {
  if (registry === null) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry;
}
