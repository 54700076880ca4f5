import { describe, expect, it } from "vitest";
import { SETTINGS } from "./settings.ts";
import { similarNames } from "./similar-names.ts";

const known = Object.keys(SETTINGS);

describe("names of settings", () => {
  it.each([
    ["HOT_RETENTON_DAYS", "HOT_RETENTION_DAYS"],
    ["COLD_RETENTION_DAY", "COLD_RETENTION_DAYS"],
    ["STORAGE_BASEPATH", "STORAGE_BASE_PATH"],
    ["LIFECYCLE_SHEDULE", "LIFECYCLE_SCHEDULE"],
  ])("%s is taken for %s", (name, meant) => {
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
  ])("%s is not taken for a misspelt one", (name) => {
    expect(similarNames([name], known)).toEqual([]);
  });
});
