import process from "node:process";
import { type Config, type Environment, loadConfig } from "../config/config.ts";
import { scheduleProblem } from "../lifecycle/schedule.ts";
import { storedTextsOf } from "./settings/store-opening.ts";

/**
 * The configuration that a command works with: the environment, and the settings stored with the store that it names.
 *
 * @throws ConfigError
 */
export function readConfig(env: Environment = process.env): Config {
  return loadConfig(env, { scheduleProblem }, storedTextsOf(env.STORAGE_BASE_PATH || "artifacts"));
}
