import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import { expect, it } from "vitest";
import { ADMIN, JobsStore, seed } from "../../testing/stores/jobs-store.ts";

// More than are sorted in memory.
const ARTIFACTS = 20_600;

it("a run plans any number of artifacts in the order of their keys, and moves each of them", async () => {
  await using world = await JobsStore.open([
    ...Array.from({ length: ARTIFACTS }, (_, n) => seed(`n${(n * 7919) % ARTIFACTS}`, "HOT", 8)),
    seed("young", "HOT", 1),
  ]);
  const jobs = world.jobs();
  for (const dryRun of [true, false]) {
    const { job } = await jobs.runLifecycle(ADMIN, { dryRun, waitSeconds: 60 });
    expect(job).toMatchObject({ status: "SUCCEEDED", promotedToWarm: ARTIFACTS, progress: 1 });
    const items: string[] = [];
    for (let after: ArtifactKey | null = null; ; ) {
      const window = { after, before: null, limit: 5_000, backward: false };
      const page: readonly ArtifactKey[] = await world.items(job.id, window);
      items.push(...page.map(keyText));
      if (page.length < window.limit) break;
      after = page.at(-1) ?? null;
    }
    const due = (await world.rows(ARTIFACTS + 1)).filter(({ artifactId }) => artifactId !== "young");
    expect(items).toEqual(due.map(keyText));
  }
}, 120_000);
