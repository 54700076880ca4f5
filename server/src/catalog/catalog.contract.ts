import { describe } from "vitest";
import { adopting } from "./contract/adopting.ts";
import { backlog } from "./contract/backlog.ts";
import { bulkRestores } from "./contract/bulk-restores.ts";
import { counting } from "./contract/counting.ts";
import { jobItems } from "./contract/job-items.ts";
import { jobs } from "./contract/jobs.ts";
import { lifecycleSteps } from "./contract/lifecycle-steps.ts";
import { listing } from "./contract/listing.ts";
import { logging } from "./contract/logging.ts";
import { moving } from "./contract/moving.ts";
import { naming } from "./contract/naming.ts";
import { narrowing } from "./contract/narrowing.ts";
import type { OpenForTest } from "./contract/opened-catalog.ts";
import { randomChanges } from "./contract/random-changes.ts";
import { repeating } from "./contract/repeating.ts";
import { scrubbing } from "./contract/scrubbing.ts";
import { storeSettings } from "./contract/store-settings.ts";
import { writing } from "./contract/writing.ts";

/**
 * What every driver of the port must do. A driver's test calls this and then adds what is its own. `randomRuns`: how
 * often random changes are tried, for drivers that take long to open.
 */
export function catalogContract(driver: string, open: OpenForTest, randomRuns = 40) {
  describe(`Catalog contract: ${driver}`, () => {
    writing(open);
    moving(open);
    listing(open);
    naming(open);
    narrowing(open);
    logging(open);
    backlog(open);
    jobs(open);
    adopting(open);
    lifecycleSteps(open);
    bulkRestores(open);
    jobItems(open);
    repeating(open);
    scrubbing(open);
    counting(open);
    storeSettings(open);
    randomChanges(open, randomRuns);
  });
}
