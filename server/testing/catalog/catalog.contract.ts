import { describe } from "vitest";
import { adopting } from "./adopting.ts";
import { backlog } from "./backlog.ts";
import { bulkRestores } from "./bulk-restores.ts";
import { counting } from "./counting.ts";
import { folders } from "./folders.ts";
import { repeating } from "./idempotent-retries.ts";
import { jobs } from "./jobs.ts";
import { lifecycleSteps } from "./lifecycle-steps.ts";
import { listing } from "./listing.ts";
import { logging } from "./logging.ts";
import { moving } from "./moving.ts";
import { naming } from "./naming.ts";
import { narrowing } from "./narrowing.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { plans } from "./plans.ts";
import { randomChanges } from "./random-changes.ts";
import { randomGroups } from "./random-groups.ts";
import { relocating } from "./relocating.ts";
import { scrubbing } from "./scrubbing.ts";
import { storeSettings } from "./store-settings.ts";
import { writing } from "./writing.ts";

/**
 * The behaviour that every driver of the port must have. A driver's test calls this and adds its own tests.
 * `randomRuns`: number of runs of random changes, for drivers that are slow to open.
 */
export function catalogContract(driver: string, open: OpenForTest, randomRuns = 40) {
  describe(`Catalog contract: ${driver}`, () => {
    writing(open);
    moving(open);
    listing(open);
    folders(open);
    naming(open);
    narrowing(open);
    logging(open);
    backlog(open);
    jobs(open);
    adopting(open);
    lifecycleSteps(open);
    bulkRestores(open);
    plans(open);
    relocating(open);
    repeating(open);
    scrubbing(open);
    counting(open);
    storeSettings(open);
    randomChanges(open, randomRuns);
    randomGroups(open, randomRuns);
  });
}
