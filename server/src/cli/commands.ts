import type { CommandEntry } from "./command.ts";

/** Every command, a file each. */
export const COMMANDS = {
  serve: {
    summary: "open the store and serve it over HTTP",
    load: () => import("./serve.ts"),
  },
  lifecycle: {
    summary: "run the lifecycle, dry or live, or show where things stand",
    load: () => import("./lifecycle.ts"),
  },
  restore: {
    summary: "bring an artifact back to a hotter tier",
    load: () => import("./restore.ts"),
  },
  audit: {
    summary: "verify the audit log, or take a selection from it",
    load: () => import("./audit.ts"),
  },
  demo: {
    summary: "take real files from hot to purged in a store of its own",
    load: () => import("./demo.ts"),
  },
} as const satisfies Record<string, CommandEntry>;
