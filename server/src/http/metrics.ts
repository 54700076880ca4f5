/** One number of Prometheus' text format. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly value: number;
}

/** All metrics in Prometheus' text format 0.0.4. None has labels, so nothing needs escaping but the help text. */
export function metricsResponse(metrics: readonly Metric[]): Response {
  const lines = metrics.flatMap(({ name, help, type, value }) => [
    `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
    `# TYPE ${name} ${type}`,
    `${name} ${value}`,
  ]);
  return new Response(`${lines.join("\n")}\n`, {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" },
  });
}
