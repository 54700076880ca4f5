import { dueBefore, type LifecycleStep, STEP_RULES } from "@tierkeep/schema/domain/policy";
import type { Store } from "../../../app/embedded/store.ts";
import type { SettingChange } from "../../../app/settings/changes.ts";
import { daysOf } from "../../../app/settings/retention-in-force.ts";
import { counted, formatInstant } from "../../output/quantity.ts";

const STEPS: Readonly<Record<string, LifecycleStep>> = {
  HOT_RETENTION_DAYS: "PROMOTE_TO_WARM",
  WARM_RETENTION_DAYS: "PROMOTE_TO_COLD",
  COLD_RETENTION_DAYS: "PURGE",
};

/** Returns lines about settings that this start changed, a retention that purges do not use yet, and a lost catalog. */
export async function settingsReport(store: Store): Promise<string> {
  const lines: string[] = [];
  for (const change of store.settings.changes) {
    const changed = `${change.name} of this store changed from ${change.before} to ${change.after}.`;
    lines.push(change.shortened ? `warning: ${changed} ${await becomingDue(store, change)}` : changed);
  }
  const { coldDays, upcomingColdDays } = store.settings.policy();
  const last = upcomingColdDays?.at(-1);
  if (last !== undefined) {
    lines.push(
      `warning: Purges do not use COLD_RETENTION_DAYS ${last.coldDays} before ${formatInstant(new Date(last.from).toISOString())}. At present, ${coldDays === null ? "lifecycle runs purge no artifacts" : `they use ${coldDays}`}. To use the new value now: tierkeep settings confirm`,
    );
  }
  if (store.catalogLostAt !== null && store.unindexedTenants === 0) {
    lines.push(
      `warning: The catalog of this store was lost (found at ${store.catalogLostAt}). Artifacts written before that are missing until tierkeep reindex has rebuilt it.`,
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}

async function becomingDue({ engine }: Store, { name, before, after }: SettingChange): Promise<string> {
  const step = STEPS[name] as LifecycleStep;
  const { from, to, threshold } = STEP_RULES[step];
  const due = async (text: string) => {
    const days = daysOf(text);
    const policy = {
      hotDays: null,
      warmDays: null,
      coldDays: null,
      [threshold]: Number.isFinite(days) ? days : null,
    };
    const bound = dueBefore(step, policy, engine.clock.now());
    return bound === null ? 0 : await engine.catalog.countDue(from, null, bound);
  };
  const count = (await due(after)) - (await due(before));
  const what = to === null ? "to be purged" : `to move to ${to.toLowerCase()}`;
  return `${counted(count, "artifact")} ${count === 1 ? "becomes" : "become"} due ${what}.`;
}
