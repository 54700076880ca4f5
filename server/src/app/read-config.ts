import process from "node:process";
import { type Config, type Environment, loadConfig } from "../config/config.ts";
import { SETTINGS } from "../config/settings.ts";
import { scheduleProblem } from "../jobs/schedule.ts";
import { requireOpenable, requireStoreAgreement, storedTextsOf } from "./settings/store-opening.ts";

/**
 * The configuration that a command works with: the environment, and the settings stored with the store that it names.
 *
 * @throws ConfigError
 */
export function readConfig(env: Environment = process.env): Config {
  return loadConfig(
    env,
    { scheduleProblem },
    storedTextsOf(env.STORAGE_BASE_PATH || SETTINGS.STORAGE_BASE_PATH.default),
  );
}

/**
 * The same for a command that only uses a store: it must exist, and the environment must not contradict its settings.
 *
 * @throws Refused NOT_FOUND, StartProblem, ConfigError
 */
export function readStoreConfig(): Config {
  const config = readConfig();
  requireOpenable(config, "use");
  requireStoreAgreement(config);
  return config;
}
