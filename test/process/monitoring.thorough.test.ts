import { readFileSync } from "node:fs";
import { createTierkeep } from "@tierkeep/sdk";
import { expect, it } from "vitest";
import { familiesOf, sampleValue } from "../support/prometheus.ts";
import { startServer } from "../support/server.ts";

const KEY = { tenantId: "acme", workflowId: "w", artifactId: "a" };

async function scrape(url: string): Promise<string> {
  const response = await fetch(new URL("/metrics", url));
  expect(response.status).toBe(200);
  return response.text();
}

it("/metrics follows Prometheus' conventions, and docs/monitoring.md lists every metric of Tierkeep", async () => {
  await using server = await startServer({
    env: { LIFECYCLE_SCHEDULE: "0 3 1 1 *", HOT_RETENTION_DAYS: "0.00000001" },
  });
  const tierkeep = createTierkeep({ url: server.url });
  await tierkeep.upload(KEY, "12345");
  await tierkeep.upload({ ...KEY, artifactId: "b" }, "1", { tier: "COLD" });
  await (await tierkeep.download(KEY)).bytes();
  await tierkeep.artifact({ ...KEY, artifactId: "none" });
  await expect(tierkeep.promoteArtifact({ ...KEY, toTier: "HOT" })).rejects.toMatchObject({
    code: "SAME_TIER",
  });
  const { job } = await tierkeep.runLifecycle({});
  expect(job).toMatchObject({ status: "SUCCEEDED", promotedToWarm: 1 });
  await tierkeep.restoreArtifacts({ where: { tenantId: "acme" } });
  await tierkeep.purgeArtifact(KEY);

  const text = await scrape(server.url);
  const families = familiesOf(text);
  for (const { name, type, help, samples } of families.values()) {
    expect(name).toMatch(/^(tierkeep|process|nodejs)_[a-z0-9_]+$/);
    expect(help.length, name).toBeGreaterThan(10);
    expect(samples.length, name).toBeGreaterThan(0);
    if (!name.startsWith("tierkeep_")) continue;
    expect(name.endsWith("_total"), name).toBe(type === "counter");
    expect(name).not.toMatch(/_(ms|milliseconds|kb|mb|minutes|hours|days|percent)(_|$)/);
  }

  const { server: facts } = { server: await tierkeep.server() };
  expect(sampleValue(text, "tierkeep_artifacts", { tier: "hot" })).toBe(1);
  expect(sampleValue(text, "tierkeep_stored_bytes", { tier: "hot" })).toBe(1);
  expect(sampleValue(text, "tierkeep_tenants")).toBe(1);
  expect(sampleValue(text, "tierkeep_store_writable")).toBe(1);
  expect(sampleValue(text, "tierkeep_disk_free_bytes")).toBeGreaterThan(0);
  expect(sampleValue(text, "tierkeep_lifecycle_scheduled")).toBe(1);
  expect(sampleValue(text, "tierkeep_lifecycle_next_run_timestamp_seconds")).toBe(
    Date.parse(facts.nextRunAt ?? "") / 1000,
  );
  expect(sampleValue(text, "tierkeep_lifecycle_last_run_timestamp_seconds")).toBe(
    Date.parse(job.finishedAt ?? "") / 1000,
  );
  expect(sampleValue(text, "tierkeep_lifecycle_last_run_status", { status: "succeeded" })).toBe(1);
  expect(sampleValue(text, "tierkeep_lifecycle_last_run_artifacts", { outcome: "promoted_to_warm" })).toBe(1);
  expect(sampleValue(text, "tierkeep_lifecycle_artifacts_total", { step: "promote_to_warm" })).toBe(1);
  for (const [operation, count] of Object.entries({ write: 2, read: 1, restore: 2, purge: 1, promote: 0 }))
    expect(sampleValue(text, "tierkeep_artifact_operations_total", { operation }), operation).toBe(count);
  expect(sampleValue(text, "tierkeep_jobs_total", { kind: "restore", status: "succeeded" })).toBe(1);
  expect(sampleValue(text, "tierkeep_refusals_total", { code: "SAME_TIER" })).toBe(1);
  const put = { route: "artifacts", method: "PUT", status: "201" };
  expect(sampleValue(text, "tierkeep_http_request_duration_seconds_count", put)).toBe(2);
  expect(sampleValue(text, "process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(sampleValue(text, "process_start_time_seconds")).toBeGreaterThan(1.7e9);
  expect(sampleValue(text, "nodejs_eventloop_lag_seconds")).toBeGreaterThanOrEqual(0);

  const guide = readFileSync(new URL("../../docs/monitoring.md", import.meta.url), "utf8");
  const documented = [
    ...guide.matchAll(/^\| `(tierkeep_[a-z_]+)(?:\{([a-z, ]+)\})?` \| (\w+) \| (.+) \|$/gm),
  ].map(([, name = "", labels = "", type, help]) => ({ name, labels, type, help }));
  const exported = [...families.values()]
    .filter(({ name }) => name.startsWith("tierkeep_"))
    .map(({ name, type, help, samples }) => ({
      name,
      labels: Object.keys(samples[0]?.labels ?? {})
        .filter((label) => label !== "le")
        .join(", "),
      type,
      help,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  expect(documented).toEqual(exported);
});

it("the log has the server's configuration and scheduled runs, but no health probes", async () => {
  await using server = await startServer({ env: { LIFECYCLE_SCHEDULE: "* * * * * *" } });
  for (const path of ["/healthz", "/readyz"])
    expect((await fetch(new URL(path, server.url))).status).toBe(200);
  await expect.poll(() => server.stderr, { timeout: 15_000 }).toContain('"msg":"job ended"');
  const lines = server.stderr
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const messages = lines.map(({ msg }) => String(msg));
  expect(messages).toContainEqual(expect.stringMatching(/^policy: artifacts leave hot after 7 d/));
  expect(messages).toContainEqual(
    expect.stringMatching(/^schedule: lifecycle runs start by "\* \* \* \* \* \*"; next run at 2/),
  );
  expect(messages).toContainEqual(expect.stringMatching(/^no authentication: /));
  expect(messages).toContainEqual(expect.stringMatching(/^tiers: /));
  expect(messages).toContainEqual(expect.stringMatching(/^GraphiQL: http:/));
  expect(lines.find(({ msg }) => msg === "job started")).toMatchObject({
    kind: "lifecycle",
    actor: "schedule",
  });
  expect(lines.find(({ msg }) => msg === "job ended")).toMatchObject({
    kind: "lifecycle",
    actor: "schedule",
    status: "SUCCEEDED",
    promotedToWarm: 0,
    promotedToCold: 0,
    purged: 0,
    totalErrors: 0,
  });
  expect(lines.filter(({ operation }) => /healthz|readyz/.test(String(operation)))).toEqual([]);
});

it("LOG_LEVEL=debug logs health probes, LOG_LEVEL=silent logs nothing, and a missing schedule is logged", async () => {
  await using verbose = await startServer({ env: { LOG_LEVEL: "debug", GRAPHIQL: "false" } });
  await fetch(new URL("/healthz", verbose.url));
  await expect.poll(() => verbose.stderr).toContain('"operation":"GET /healthz"');
  expect(verbose.stderr).toContain(
    '"msg":"no schedule: lifecycle runs do not start automatically; set LIFECYCLE_SCHEDULE"',
  );
  expect(verbose.stderr).not.toContain("GraphiQL");
  await using silent = await startServer({ env: { LOG_LEVEL: "silent" } });
  await fetch(new URL("/nothing", silent.url));
  expect(silent.stderr).not.toContain('{"level"');
});
