import { describe, expect, it } from "vitest";
import {
  artifactGlobalId,
  jobGlobalId,
  lifecycleEventGlobalId,
  parseGlobalId,
  parseJobGlobalId,
  tenantGlobalId,
  workflowGlobalId,
} from "./global-ids.ts";

const encoded = (text: string) => Buffer.from(text).toString("base64url");

describe("global ids", () => {
  it("decode to the names that they encode", () => {
    const key = { tenantId: "acme", workflowId: "nightly run", artifactId: "résumé 🎉.txt" };
    expect(parseGlobalId(artifactGlobalId(key))).toEqual({ type: "Artifact", key });
    const nested = { ...key, artifactId: "plots/2026/sales.svg" };
    expect(parseGlobalId(artifactGlobalId(nested))).toEqual({ type: "Artifact", key: nested });
    expect(parseGlobalId(tenantGlobalId("acme"))).toEqual({ type: "Tenant", tenantId: "acme" });
    const workflow = { tenantId: "acme", workflowId: "wf" };
    expect(parseGlobalId(workflowGlobalId(workflow))).toEqual({ type: "Workflow", workflow });
    expect(parseGlobalId(jobGlobalId("r4nd0m"))).toEqual({ type: "Job", jobId: "r4nd0m" });
    const cursor = "a+b/c=";
    expect(parseGlobalId(lifecycleEventGlobalId(cursor))).toEqual({ type: "LifecycleEvent", cursor });
  });

  it("are URL-safe, also for the longest names", () => {
    const name = "é".repeat(100);
    const key = { tenantId: name, workflowId: name, artifactId: `${name}/${name}/${"é".repeat(99)}` };
    expect(artifactGlobalId(key)).toMatch(/^[A-Za-z0-9_-]{1,1400}$/);
    expect(parseGlobalId(artifactGlobalId(key))).toEqual({ type: "Artifact", key });
  });

  it("differ for different keys", () => {
    const ids = [
      artifactGlobalId({ tenantId: "a", workflowId: "b", artifactId: "c" }),
      artifactGlobalId({ tenantId: "a", workflowId: "b", artifactId: "d" }),
      workflowGlobalId({ tenantId: "a", workflowId: "b" }),
      tenantGlobalId("a"),
      jobGlobalId("a"),
      lifecycleEventGlobalId("a"),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([
    ["empty text", ""],
    ["plain text", "hello world"],
    ["base64 of other text", encoded("hello")],
    ["an unknown type", encoded("User/1")],
    ["a type without a name", encoded("Tenant")],
    ["an empty name", encoded("Tenant/")],
    ["a name that breaks the naming rule", encoded("Tenant/..")],
    ["a tenant with too many parts", encoded("Tenant/a/b")],
    ["a workflow with too few parts", encoded("Workflow/a")],
    ["a workflow with too many parts", encoded("Workflow/a/b/c")],
    ["an artifact with too few parts", encoded("Artifact/a/b")],
    ["an artifact with an empty segment", encoded("Artifact/a/b/c//d")],
    ["an artifact with 33 segments", encoded(`Artifact/a/b${"/c".repeat(33)}`)],
    ["an artifact named like a sidecar", encoded("Artifact/a/b/c.metadata.json")],
    ["invalid UTF-8", Buffer.from("Tenant/\xff", "latin1").toString("base64url")],
    ["padding", Buffer.from("Tenant/abcd").toString("base64")],
    ["another encoding of the same id", `${encoded("Tenant/a").slice(0, -1)}R`],
    ["very long text", "A".repeat(100_000)],
  ])("do not decode from %s", (_what, id) => {
    expect(parseGlobalId(id)).toBeNull();
  });

  it("decode to a job id only if they belong to a job", () => {
    expect(parseJobGlobalId(jobGlobalId("j"))).toBe("j");
    expect(parseJobGlobalId(tenantGlobalId("j"))).toBeNull();
    expect(parseJobGlobalId("j")).toBeNull();
  });
});
