import type { Command } from "commander";

/** What the file of a command exports. */
export interface CommandModule {
  /**
   * Adds description, options, arguments, subcommands and examples, and an action that passes its work to `run`.
   *
   * @param everyCommand loads the complete command tree, for shell completion
   */
  configure(command: Command, run: Run, everyCommand: () => Promise<Command>): void;
}

/** Runs a command's work and stores the exit code that it returns. Only main exits. */
export type Run = (work: () => Promise<number>) => Promise<void>;

export interface CommandEntry {
  /** One line in `tierkeep --help`. */
  readonly summary: string;
  /** Loads the command's file. Other commands do not load it. */
  readonly load: () => Promise<CommandModule>;
}
