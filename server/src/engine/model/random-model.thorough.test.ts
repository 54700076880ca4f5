import { createHash } from "node:crypto";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { LIFECYCLE_STEPS } from "@tierkeep/schema/domain/policy";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import fc from "fast-check";
import { it } from "vitest";
import type { Loss } from "../../tiers/filesystem/lossy-disk.ts";
import type { Act } from "./scenarios.ts";
import { Story } from "./story.ts";

/** Few keys, so that they meet. */
const keys: fc.Arbitrary<ArtifactKey> = fc.record({
  tenantId: fc.constantFrom("acme", "globex"),
  workflowId: fc.constantFrom("nightly", "büro 😀"),
  artifactId: fc.constantFrom("a", "b.json"),
});

const tiers = fc.constantFrom(...TIERS);
/** On both sides of what may ride in the catalog. */
const sizes = fc.constantFrom(0, 1, 5_000, 65_536, 65_537, 150_000);

const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      key: keys,
      tier: tiers,
      seed: fc.nat(1000),
      sizeBytes: sizes,
      ifAbsent: fc.boolean(),
    }),
  },
  {
    weight: 3,
    // So few that most come more than once.
    arbitrary: fc
      .record({ key: keys, tier: fc.constantFrom("HOT", "COLD"), sizeBytes: fc.constantFrom(5_000, 150_000) })
      .map((write) => ({ do: "write" as const, ...write, seed: 1, idempotencyKey: nameOf(write) })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("write in vain" as const), key: keys, sizeBytes: sizes }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("upload in vain" as const), key: keys, sizeBytes: sizes }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("promote", "restore"), key: keys, toTier: tiers }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("purge" as const), key: keys }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("age" as const), step: fc.constantFrom(...LIFECYCLE_STEPS) }),
  },
  { weight: 3, arbitrary: fc.constant({ do: "drain" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 40 * DAY_MS }) }),
  },
);

/** One name for all writes that ask for the same. */
function nameOf(write: unknown): string {
  return createHash("sha256").update(JSON.stringify(write)).digest("hex");
}

const losses: fc.Arbitrary<Loss> = fc.oneof(
  fc.constantFrom("nothing", "everything"),
  fc.record({ seed: fc.nat() }),
);

/** What a process is asked, after how many steps it dies, and what goes with it. */
const lives = fc.record({
  acts: fc.array(acts, { minLength: 1, maxLength: 12 }),
  lastStep: fc.oneof(fc.nat(300), fc.constant(Number.POSITIVE_INFINITY)),
  lose: losses,
});

it("agrees with a model in memory, whatever is asked and whenever it dies", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(lives, { minLength: 1, maxLength: 4 }), async (stories) => {
      using story = new Story();
      for (const { acts, lastStep, lose } of stories) {
        await story.live(acts, lastStep, lose);
        await story.check();
      }
    }),
    { numRuns: Number(process.env.MODEL_RUNS ?? 100) },
  );
}, 600_000);
