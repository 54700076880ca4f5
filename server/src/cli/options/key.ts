import { requireIdentifier, requireKey } from "@tierkeep/schema/domain/identifiers";
import { type ArtifactKey, keyOfText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Command } from "commander";
import { counted } from "../output/quantity.ts";

/** An artifact key in three options, instead of one argument. */
export interface KeyOptions {
  readonly tenant?: string | undefined;
  readonly workflow?: string | undefined;
  readonly artifact?: string | undefined;
}

const PARTS = ["tenant", "workflow", "artifact"] as const;

export function keyOptions(command: Command): Command {
  return command
    .argument("[key]", "tenant/workflow/artifact")
    .option("--tenant <tenant>", "instead of KEY, with --workflow and --artifact")
    .option("--workflow <workflow>", "instead of KEY, with --tenant and --artifact")
    .option("--artifact <artifact>", "instead of KEY, with --tenant and --workflow");
}

/**
 * Returns the key of the artifact that a command's argument or options name.
 *
 * @throws Refused BAD_USER_INPUT if a part is missing or given twice, INVALID_IDENTIFIER
 */
export function artifactKeyOf(key: string | undefined, options: KeyOptions): ArtifactKey {
  const given = PARTS.filter((part) => options[part] !== undefined);
  if (key === undefined) {
    const missing = PARTS.filter((part) => options[part] === undefined);
    if (missing.length > 0) throw keyMissing(given, missing);
    const { tenant = "", workflow = "", artifact = "" } = options;
    requireIdentifier("tenantId", tenant, "--tenant");
    requireIdentifier("workflowId", workflow, "--workflow");
    requireIdentifier("artifactId", artifact, "--artifact");
    return { tenantId: tenant, workflowId: workflow, artifactId: artifact };
  }
  if (given.length > 0) {
    throw new Refused(
      "BAD_USER_INPUT",
      `KEY and --${given[0]} both name the artifact. Give either KEY, or --tenant, --workflow and --artifact.`,
    );
  }
  const parts = keyOfText(key);
  if (parts === null) {
    throw new Refused(
      "BAD_USER_INPUT",
      `KEY ${JSON.stringify(key)} has ${counted(key.split("/").length, "part")}, not 3 or more. Give tenant/workflow/artifact.`,
    );
  }
  return requireKey(parts, "KEY's ");
}

/** Returns the workflow that --tree reads or writes. @throws Refused like artifactKeyOf */
export function workflowOf(
  text: string | undefined,
  { tenant, workflow, artifact }: KeyOptions,
): Pick<ArtifactKey, "tenantId" | "workflowId"> {
  if (artifact !== undefined) {
    throw new Refused(
      "BAD_USER_INPUT",
      "--artifact names one artifact, and --tree stands for all artifacts of a workflow. Give one of them.",
    );
  }
  const parts = text?.replace(/\/$/, "").split("/");
  if (parts !== undefined && (tenant ?? workflow) !== undefined) {
    throw new Refused(
      "BAD_USER_INPUT",
      `${JSON.stringify(text)} and the options both name the workflow. Give one of them.`,
    );
  }
  const [tenantId, workflowId, ...more] = parts ?? [tenant, workflow];
  if (tenantId === undefined || workflowId === undefined || more.length > 0) {
    throw new Refused(
      "BAD_USER_INPUT",
      "Which workflow? With --tree give tenant/workflow, or --tenant and --workflow.",
    );
  }
  requireIdentifier("tenantId", tenantId, "the tenant");
  requireIdentifier("workflowId", workflowId, "the workflow");
  return { tenantId, workflowId };
}

function keyMissing(given: readonly string[], missing: readonly string[]): Refused {
  const options = missing.map((part) => `--${part}`).join(" and ");
  return new Refused(
    "BAD_USER_INPUT",
    given.length === 0
      ? "Which artifact? Give KEY (tenant/workflow/artifact), or --tenant, --workflow and --artifact."
      : `The artifact's key is incomplete: ${options} ${missing.length === 1 ? "is" : "are"} missing.`,
  );
}
