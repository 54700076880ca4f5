/** What to use instead of commands that only other tools have. */
const HINTS: Readonly<Record<string, string>> = {
  cat: "`tierkeep read KEY` writes an artifact to stdout.",
  cp: "`tierkeep write KEY FILE` uploads a file, and `tierkeep read KEY -o FILE` downloads one.",
  delete: "`tierkeep purge KEY` deletes an artifact.",
  download: "`tierkeep read KEY -o FILE` downloads an artifact.",
  du: "`tierkeep stats` shows how much is stored.",
  get: "`tierkeep read KEY -o FILE` downloads an artifact.",
  list: "`tierkeep ls` lists artifacts.",
  login: "Set TIERKEEP_URL and TIERKEEP_TOKEN; `tierkeep whoami` shows your role and tenants.",
  mv: "Keys cannot be renamed: read the artifact, write it under the new key, then purge the old one. `tierkeep promote KEY --to-tier TIER` moves one to another tier.",
  presign: "`tierkeep url KEY` prints a signed URL.",
  put: "`tierkeep write KEY FILE` uploads a file.",
  rm: "`tierkeep purge KEY` deletes an artifact, and `tierkeep purge --tenant TENANT --workflow WORKFLOW --dry-run` shows what would be deleted.",
  share: "`tierkeep url KEY` prints a signed URL.",
  sync: "`tierkeep write TENANT/WORKFLOW --tree DIR` uploads the changed files of a folder, and `tierkeep read TENANT/WORKFLOW --tree DIR` downloads a folder.",
  upload: "`tierkeep write KEY FILE` uploads a file.",
};

/** Returns a sentence that names the command to use instead of another tool's; undefined for any other name. */
export function commandHint(name: string): string | undefined {
  return Object.hasOwn(HINTS, name) ? HINTS[name] : undefined;
}
