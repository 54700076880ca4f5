import process from "node:process";
import { type Config, type Environment, loadConfig } from "../config/config.ts";
import { SETTINGS } from "../config/settings.ts";
import { scheduleProblem } from "../jobs/schedule.ts";
import { requireOpenable, requireStoreAgreement, storedTextsOf } from "./settings/store-opening.ts";

/**
 * Returns the configuration of a command: the environment, and the stored settings of the store that it names.
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
 * Does the same for a command that needs an existing store, and compares the environment with the store's settings.
 *
 * @throws Refused NOT_FOUND, StartProblem, ConfigError
 */
export function readStoreConfig(): Config {
  const config = readConfig();
  requireOpenable(config, "use");
  requireStoreAgreement(config);
  return config;
}
