import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Artifact, createTierkeep, type Tier, type Tierkeep } from "@tierkeep/sdk";
import { eventually } from "./eventually.ts";
import { isSame, nameOf, type PossibleStates, type State } from "./possible-states.ts";
import { auditLinesIn, type OnDisk, objectsIn, publishedIn } from "./store-on-disk.ts";

/**
 * Compares a restarted server with what was acknowledged. Records what it finds as the confirmed states. Resolves with
 * a sentence for each problem.
 */
export async function inspect(
  server: OnDisk & { readonly url: string },
  states: PossibleStates,
): Promise<string[]> {
  const tierkeep = createTierkeep({ url: server.url, retries: 0 });
  await jobsEnded(tierkeep);
  const artifacts = await all(tierkeep.artifacts());
  return [
    ...compareWithAnswers(artifacts, states),
    ...(await readEverything(tierkeep, artifacts)),
    ...(await compareCounts(tierkeep, artifacts)),
    ...(await compareFiles(server, artifacts)),
    ...(await compareAudit(server, tierkeep)),
  ];
}

/** Compares all artifacts with what was acknowledged, without their bytes and files. Resolves like `inspect`. */
export async function inspectAnswers(
  server: { readonly url: string },
  states: PossibleStates,
): Promise<string[]> {
  return compareWithAnswers(await all(createTierkeep({ url: server.url, retries: 0 }).artifacts()), states);
}

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of list) found.push(each);
  return found;
}

/** Waits for running jobs, which the restarted server resumes. */
async function jobsEnded(tierkeep: Tierkeep): Promise<void> {
  const count = async (type: "LIFECYCLE_JOB_STARTED" | "LIFECYCLE_JOB_COMPLETED") =>
    (await tierkeep.lifecycleEventHistory({ where: { types: [type] }, first: 0, withTotalCount: true }))
      .totalCount;
  await eventually("every job that has started should end", async () => {
    const [started, completed] = [
      await count("LIFECYCLE_JOB_STARTED"),
      await count("LIFECYCLE_JOB_COMPLETED"),
    ];
    return started === completed ? [] : [`${started} jobs have started and ${completed} have ended`];
  }).then((problems) => {
    if (problems.length > 0) throw new Error(problems.join("\n"));
  });
}

function compareWithAnswers(artifacts: readonly Artifact[], states: PossibleStates): string[] {
  const found = new Map(artifacts.map((artifact) => [nameOf(artifact), artifact]));
  if (found.size !== artifacts.length) return ["A key is listed twice."];
  const problems: string[] = [];
  for (const key of states.keys) {
    const name = nameOf(key);
    const artifact = found.get(name);
    found.delete(name);
    const state: State = artifact ? { checksum: artifact.checksum, tier: artifact.tier as Tier } : null;
    const possible = states.of(key);
    if (!possible.some((each) => isSame(each, state)))
      problems.push(`${name} is ${shown(state)}, but must be ${possible.map(shown).join(" or ")}`);
    states.confirmed(key, state);
  }
  for (const name of found.keys()) problems.push(`${name} exists, and no client wrote it`);
  return problems;
}

function shown(state: State): string {
  return state === null ? "absent" : `${state.checksum.slice(0, 8)} in ${state.tier}`;
}

/** Reads every artifact. The SDK compares the content with its checksum. */
async function readEverything(tierkeep: Tierkeep, artifacts: readonly Artifact[]): Promise<string[]> {
  const problems: string[] = [];
  for (const artifact of artifacts) {
    try {
      const bytes = await (await tierkeep.download(artifact)).bytes();
      if (bytes.length !== artifact.sizeBytes) problems.push(`${nameOf(artifact)}: ${bytes.length} bytes`);
    } catch (error) {
      problems.push(`${nameOf(artifact)}: ${error}`);
    }
  }
  return problems;
}

/** Compares the catalog's counters with a full count. */
async function compareCounts(tierkeep: Tierkeep, artifacts: readonly Artifact[]): Promise<string[]> {
  const problems: string[] = [];
  const expectSame = (what: string, shownCount: unknown, counted: unknown) => {
    if (shownCount !== counted) problems.push(`${what}: ${shownCount}, but counted ${counted}`);
  };
  const compare = async (tenantId: string | undefined, own: readonly Artifact[]) => {
    for (const { tier, artifactCount, totalBytes, tenantCount } of await tierkeep.tierStats({ tenantId })) {
      const inTier = own.filter((artifact) => artifact.tier === tier);
      const where = `${tenantId ?? "all tenants"}, ${tier}`;
      expectSame(`${where}, artifacts`, artifactCount, inTier.length);
      expectSame(
        `${where}, bytes`,
        totalBytes,
        inTier.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      );
      expectSame(`${where}, tenants`, tenantCount, new Set(inTier.map((each) => each.tenantId)).size);
    }
  };
  await compare(undefined, artifacts);
  for (const { tenantId } of await all(tierkeep.tenants()))
    await compare(
      tenantId,
      artifacts.filter((artifact) => artifact.tenantId === tenantId),
    );
  return problems;
}

/** Checks that each artifact has one published file with a sidecar and one object, and that there are no other files. */
function compareFiles(server: OnDisk, artifacts: readonly Artifact[]): Promise<string[]> {
  return eventually("the files should agree with the catalog", async () => {
    const expected = artifacts.flatMap((artifact) => {
      const path = `${artifact.tier.toLowerCase()}/${nameOf(artifact)}`;
      return [path, `${path}.metadata.json`];
    });
    const view = publishedIn(server);
    const problems = [
      ...view.filter((path) => !expected.includes(path)).map((path) => `${path} should not exist`),
      ...expected.filter((path) => !view.includes(path)).map((path) => `${path} is missing`),
    ];
    if (problems.length > 0) return problems;
    for (const artifact of artifacts) {
      const path = `${artifact.tier.toLowerCase()}/${nameOf(artifact)}`;
      const file = join(server.dir, "artifacts", path);
      const checksum = createHash("sha256").update(readFileSync(file)).digest("hex");
      if (checksum !== artifact.checksum) problems.push(`${path} has other bytes`);
      if (JSON.parse(readFileSync(`${file}.metadata.json`, "utf8"))._checksum !== artifact.checksum)
        problems.push(`${path}: sidecar of another version`);
      if (statSync(file).nlink !== 2) problems.push(`${path} has ${statSync(file).nlink} links`);
    }
    const objects = objectsIn(server);
    if (objects !== artifacts.length) problems.push(`${objects} objects for ${artifacts.length} artifacts`);
    return problems;
  });
}

/** Checks that the audit log has one complete line for each event, in order and without gaps. */
function compareAudit(server: OnDisk, tierkeep: Tierkeep): Promise<string[]> {
  return eventually("the audit log should agree with the events", async () => {
    const { totalCount } = await tierkeep.lifecycleEventHistory({ first: 0, withTotalCount: true });
    const lines = auditLinesIn(server);
    const misplaced = lines.findIndex(({ seq }, index) => seq !== index + 1);
    return [
      ...(lines.length === totalCount
        ? []
        : [`the audit log has ${lines.length} lines for ${totalCount} events`]),
      ...(misplaced === -1
        ? []
        : [`line ${misplaced + 1} of the audit log has seq ${lines[misplaced]?.seq}`]),
    ];
  });
}
