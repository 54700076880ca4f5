import process from "node:process";
import { type Config, type Environment, loadConfig } from "../config/config.ts";
import { scheduleProblem } from "../lifecycle/schedule.ts";

/** The configuration that every command works with. @throws ConfigError */
export function readConfig(env: Environment = process.env): Config {
  return loadConfig(env, { scheduleProblem });
}
