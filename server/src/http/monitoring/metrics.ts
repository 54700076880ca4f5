import { Counter, Gauge, Registry } from "prom-client";

/** One metric family at the time of a scrape. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  /** One number, or one per combination of label values. */
  readonly value: number | readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Returns all metrics in Prometheus text format 0.0.4: `metrics` first, then those of the registries. */
export async function metricsResponse(
  metrics: readonly Metric[],
  registries: readonly Registry[],
): Promise<Response> {
  const registry = new Registry();
  for (const metric of metrics) register(registry, metric);
  const texts = await Promise.all([registry, ...registries].map((each) => each.metrics()));
  return new Response(texts.filter((text) => text.trim() !== "").join(""), {
    headers: { "content-type": registry.contentType, "cache-control": "no-store" },
  });
}

function register(registry: Registry, { name, help, type, value }: Metric): void {
  const samples = typeof value === "number" ? [{ labels: {}, value }] : value;
  const labelNames = Object.keys(samples[0]?.labels ?? {});
  const options = { name, help, labelNames, registers: [registry] };
  if (type === "gauge") {
    const gauge = new Gauge(options);
    for (const sample of samples) gauge.set(sample.labels, sample.value);
  } else {
    const counter = new Counter(options);
    for (const sample of samples) counter.inc(sample.labels, sample.value);
  }
}
