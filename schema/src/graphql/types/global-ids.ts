import { identifierProblem } from "../../domain/identifiers.ts";
import type { ArtifactKey } from "../../domain/keys.ts";
import type { WorkflowName } from "../../services/tenants.ts";
import { fromBase64, toBase64 } from "./base64.ts";

export { jobGlobalId } from "../../domain/jobs.ts";

/** A parsed global id. The object may not exist, or the caller may not be allowed to see it. */
export type GlobalId =
  | { readonly type: "Artifact"; readonly key: ArtifactKey }
  | { readonly type: "Tenant"; readonly tenantId: string }
  | { readonly type: "Workflow"; readonly workflow: WorkflowName }
  | { readonly type: "Job"; readonly jobId: string }
  | { readonly type: "LifecycleEvent"; readonly cursor: string };

// Names of 200, 200 and 600 bytes and a type take 1,348 characters in base64. Event cursors are far shorter.
const MAX_LENGTH = 1400;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the global id of a key. It never changes: not by a write, a move, or a purge and a new write. */
export function artifactGlobalId({ tenantId, workflowId, artifactId }: ArtifactKey): string {
  return encode(`Artifact/${tenantId}/${workflowId}/${artifactId}`);
}

export function tenantGlobalId(tenantId: string): string {
  return encode(`Tenant/${tenantId}`);
}

export function workflowGlobalId({ tenantId, workflowId }: WorkflowName): string {
  return encode(`Workflow/${tenantId}/${workflowId}`);
}

export function lifecycleEventGlobalId(cursor: string): string {
  return encode(`LifecycleEvent/${cursor}`);
}

/** Parses a global id. Returns null if it is malformed or of an unknown type. */
export function parseGlobalId(id: string): GlobalId | null {
  const text = decode(id);
  const slash = text?.indexOf("/") ?? -1;
  if (text === null || slash < 0) return null;
  const type = text.slice(0, slash);
  const rest = text.slice(slash + 1);
  if (rest === "") return null;
  if (type === "Job") return { type, jobId: rest };
  if (type === "LifecycleEvent") return { type, cursor: rest };
  const [tenantId = "", workflowId = "", ...segments] = rest.split("/");
  if (identifierProblem("tenantId", tenantId) !== null) return null;
  if (type === "Tenant") return rest === tenantId ? { type, tenantId } : null;
  if (identifierProblem("workflowId", workflowId) !== null) return null;
  if (type === "Workflow") {
    return rest === `${tenantId}/${workflowId}` ? { type, workflow: { tenantId, workflowId } } : null;
  }
  const artifactId = segments.join("/");
  if (type !== "Artifact" || identifierProblem("artifactId", artifactId) !== null) return null;
  return { type, key: { tenantId, workflowId, artifactId } };
}

/** Returns the job id in a global id; null if it is not the global id of a job. */
export function parseJobGlobalId(id: string): string | null {
  const parsed = parseGlobalId(id);
  return parsed?.type === "Job" ? parsed.jobId : null;
}

function encode(text: string): string {
  return toBase64(encoder.encode(text)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decode(id: string): string | null {
  if (id.length > MAX_LENGTH || !BASE64URL.test(id)) return null;
  const padded = id.padEnd(Math.ceil(id.length / 4) * 4, "=");
  const bytes = fromBase64(padded.replaceAll("-", "+").replaceAll("_", "/"));
  if (bytes === null) return null;
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
