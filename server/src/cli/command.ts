import type { Command } from "commander";

/** What a command's own file exports. */
export interface CommandModule {
  /**
   * Adds description, options, arguments, subcommands and examples, and an action that passes its work to `run`.
   *
   * @param everyCommand loads the whole command tree, for shell completion
   */
  configure(command: Command, run: Run, everyCommand: () => Promise<Command>): void;
}

/** Runs a command's work and keeps the exit code that it answers with. Only main exits. */
export type Run = (work: () => Promise<number>) => Promise<void>;

export interface CommandEntry {
  /** One line in `tierkeep --help`. */
  readonly summary: string;
  /** Loaded when it is called, so that no command pays for another. */
  readonly load: () => Promise<CommandModule>;
}
