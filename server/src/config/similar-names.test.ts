import { describe, expect, it } from "vitest";
import { SETTINGS } from "./settings.ts";
import { similarNames } from "./similar-names.ts";

const known = Object.keys(SETTINGS);

describe("similarNames", () => {
  it.each([
    ["HOT_RETENTON_DAYS", "HOT_RETENTION_DAYS"],
    ["COLD_RETENTION_DAY", "COLD_RETENTION_DAYS"],
    ["STORAGE_BASEPATH", "STORAGE_BASE_PATH"],
    ["LIFECYCLE_SHEDULE", "LIFECYCLE_SCHEDULE"],
  ])("takes %s for a misspelt %s", (name, meant) => {
    expect(similarNames([name], known)).toEqual([[name, meant]]);
  });

  it.each([
    ["HOSTS"],
    ["PORTS"],
    ["LOGS_DIR"],
    ["HOSTNAME"],
    ["KUBERNETES_SERVICE_HOST"],
    ["COLORTERM"],
    ...known.map((name) => [name]),
  ])("ignores %s", (name) => {
    expect(similarNames([name], known)).toEqual([]);
  });
});
