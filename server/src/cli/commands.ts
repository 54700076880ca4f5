import type { CommandEntry } from "./command.ts";

/** Every command, a file each. */
export const COMMANDS = {
  serve: {
    summary: "open the store and serve it over HTTP",
    load: () => import("./commands/store/serve.ts"),
  },
  write: {
    summary: "write an artifact, or a folder of them",
    load: () => import("./commands/artifacts/write.ts"),
  },
  read: {
    summary: "read an artifact, or all of a workflow",
    load: () => import("./commands/artifacts/read.ts"),
  },
  ls: {
    summary: "list artifacts",
    load: () => import("./commands/artifacts/ls.ts"),
  },
  stat: {
    summary: "show what is known of an artifact",
    load: () => import("./commands/artifacts/stat.ts"),
  },
  promote: {
    summary: "move an artifact to another tier",
    load: () => import("./commands/artifacts/promote.ts"),
  },
  restore: {
    summary: "bring artifacts back to a hotter tier",
    load: () => import("./commands/artifacts/restore.ts"),
  },
  purge: {
    summary: "delete an artifact for good",
    load: () => import("./commands/artifacts/purge.ts"),
  },
  stats: {
    summary: "show how much there is, by tier and tenant",
    load: () => import("./commands/access/stats.ts"),
  },
  tenants: {
    summary: "list the tenants",
    load: () => import("./commands/access/tenants.ts"),
  },
  whoami: {
    summary: "show your name, role and tenants",
    load: () => import("./commands/access/whoami.ts"),
  },
  url: {
    summary: "print a signed URL to download or upload an artifact",
    load: () => import("./commands/artifacts/url.ts"),
  },
  lifecycle: {
    summary: "run the lifecycle, dry or live, watch it, stop it, or show where things stand",
    load: () => import("./commands/jobs/lifecycle.ts"),
  },
  jobs: {
    summary: "list jobs of every kind, and stop them",
    load: () => import("./commands/jobs/jobs.ts"),
  },
  events: {
    summary: "show the log of every step, and follow it",
    load: () => import("./commands/audit/events.ts"),
  },
  reindex: {
    summary: "rebuild a lost catalog, or adopt another system's tree",
    load: () => import("./commands/store/reindex.ts"),
  },
  verify: {
    summary: "compare every checksum",
    load: () => import("./commands/store/verify.ts"),
  },
  keys: {
    summary: "make, list and revoke the keys that let programs in",
    load: () => import("./commands/access/keys.ts"),
  },
  backup: {
    summary: "take a consistent copy of a store, while it is being served",
    load: () => import("./commands/store/backup.ts"),
  },
  "restore-backup": {
    summary: "make a store of a backup",
    load: () => import("./commands/store/restore-backup.ts"),
  },
  doctor: {
    summary: "look whether everything is as it should be, and mend what can be mended",
    load: () => import("./commands/store/doctor.ts"),
  },
  quarantine: {
    summary: "list and delete the files that repairs moved out of the way",
    load: () => import("./commands/store/quarantine.ts"),
  },
  prove: {
    summary: "try to break what is promised, on this machine and its disk",
    load: () => import("./commands/tools/prove.ts"),
  },
  gql: {
    summary: "run a GraphQL document",
    load: () => import("./commands/tools/gql.ts"),
  },
  settings: {
    summary: "show the settings stored with the store, or confirm a shortened retention",
    load: () => import("./commands/store/settings.ts"),
  },
  open: {
    summary: "open the server's page in the browser",
    load: () => import("./commands/tools/open.ts"),
  },
  completion: {
    summary: "print a script that completes commands in bash, zsh or fish",
    load: () => import("./completion/command.ts"),
  },
  audit: {
    summary: "verify the audit log, or take a selection from it",
    load: () => import("./commands/audit/audit.ts"),
  },
  demo: {
    summary: "take real files from hot to purged in a store of its own",
    load: () => import("./commands/tools/demo.ts"),
  },
} as const satisfies Record<string, CommandEntry>;
