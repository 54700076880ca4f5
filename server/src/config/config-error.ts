/** The configuration is invalid. The message is one line that names each variable, its value and the valid values. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
