import type { CommandEntry } from "./command.ts";

/** Every command by its name. Each has a file of its own. */
export const COMMANDS = {
  serve: {
    summary: "open the store and serve it over HTTP",
    load: () => import("./commands/store/serve.ts"),
  },
  write: {
    summary: "write an artifact, or the files of a folder",
    load: () => import("./commands/artifacts/write.ts"),
  },
  read: {
    summary: "read an artifact, or all artifacts of a workflow",
    load: () => import("./commands/artifacts/read.ts"),
  },
  ls: {
    summary: "list artifacts",
    load: () => import("./commands/artifacts/ls.ts"),
  },
  stat: {
    summary: "show the details of an artifact",
    load: () => import("./commands/artifacts/stat.ts"),
  },
  promote: {
    summary: "move an artifact to another tier",
    load: () => import("./commands/artifacts/promote.ts"),
  },
  restore: {
    summary: "move artifacts back to a hotter tier",
    load: () => import("./commands/artifacts/restore.ts"),
  },
  purge: {
    summary: "delete an artifact permanently",
    load: () => import("./commands/artifacts/purge.ts"),
  },
  stats: {
    summary: "show counts and sizes by tier and tenant",
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
    summary: "run, list or cancel lifecycle runs, or show a summary",
    load: () => import("./commands/jobs/lifecycle.ts"),
  },
  jobs: {
    summary: "list and cancel jobs of every kind",
    load: () => import("./commands/jobs/jobs.ts"),
  },
  events: {
    summary: "show or follow the event log",
    load: () => import("./commands/audit/events.ts"),
  },
  reindex: {
    summary: "rebuild a lost catalog, or adopt the files of another system",
    load: () => import("./commands/store/reindex.ts"),
  },
  verify: {
    summary: "read all artifacts and compare their checksums",
    load: () => import("./commands/store/verify.ts"),
  },
  keys: {
    summary: "create, list and revoke API keys",
    load: () => import("./commands/access/keys.ts"),
  },
  backup: {
    summary: "take a consistent backup of a store while it is served",
    load: () => import("./commands/store/backup.ts"),
  },
  "restore-backup": {
    summary: "restore a store from a backup",
    load: () => import("./commands/store/restore-backup.ts"),
  },
  doctor: {
    summary: "check a store, and repair it",
    load: () => import("./commands/store/doctor.ts"),
  },
  quarantine: {
    summary: "list and delete files that repairs set aside",
    load: () => import("./commands/store/quarantine.ts"),
  },
  prove: {
    summary: "test Tierkeep's guarantees on this machine and its disk",
    load: () => import("./commands/tools/prove.ts"),
  },
  gql: {
    summary: "run a GraphQL document",
    load: () => import("./commands/tools/gql.ts"),
  },
  settings: {
    summary: "show the stored settings, or confirm a shortened retention",
    load: () => import("./commands/store/settings.ts"),
  },
  open: {
    summary: "open GraphiQL in the browser",
    load: () => import("./commands/tools/open.ts"),
  },
  completion: {
    summary: "print a script that completes commands in bash, zsh or fish",
    load: () => import("./completion/command.ts"),
  },
  audit: {
    summary: "verify the audit log, or export events",
    load: () => import("./commands/audit/audit.ts"),
  },
  demo: {
    summary: "move sample files from hot to purged in a new store",
    load: () => import("./commands/tools/demo.ts"),
  },
} as const satisfies Record<string, CommandEntry>;
