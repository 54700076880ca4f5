/** Its message is one line that names each variable, its value, and what would be valid. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
