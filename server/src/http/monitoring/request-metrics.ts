import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import { Counter, Histogram, Registry } from "prom-client";
import type { Call } from "../call.ts";

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "OPTIONS"]);

/** From a point query to a transfer of several gigabytes, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Counts calls when they end, with their duration and refusal. */
export class RequestMetrics {
  readonly registry = new Registry();
  readonly #durations = new Histogram({
    name: "tierkeep_http_request_duration_seconds",
    help: "Time from a request's headers to the end of its response, by route, method and status. On the routes events and websocket it is the length of the connection.",
    labelNames: ["route", "method", "status"],
    buckets: BUCKETS,
    registers: [this.registry],
  });
  readonly #refusals = new Counter({
    name: "tierkeep_refusals_total",
    help: "Rejected calls, by the first error code of the response.",
    labelNames: ["code"],
    registers: [this.registry],
  });

  constructor() {
    // A counter that appears with its first refusal would hide that refusal from rate().
    for (const code of Object.keys(REFUSALS)) this.#refusals.inc({ code }, 0);
  }

  ended({ route, method, status, code }: Call, seconds: number): void {
    const known = METHODS.has(method) ? method : "other";
    this.#durations.observe({ route, method: known, status: String(status) }, seconds);
    if (code !== null) this.#refusals.inc({ code });
  }
}
