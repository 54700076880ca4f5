import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "./clone.ts";

const PAGES = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\0")
  .filter((page) => page !== "" && page !== "CHANGELOG.md" && existsSync(join(ROOT, page)));

/** Pages that say how to install the current version. */
const INSTALL_PAGES = ["README.md", "docs/getting-started.md", "sdk/README.md"];

/** Folders at the top of the repository. A path in code that starts with one of them must exist. */
const REPOSITORY_PATH = /^(?:schema|server|sdk|test|docs|examples|\.ci)\/[\w.,{}*/-]*$/;

const textOf = (page: string) => readFileSync(join(ROOT, page), "utf8");

it.each(PAGES)("%s links to existing files and headings only", (page) => {
  for (const [link, path = "", anchor] of textOf(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
    const target = path === "" ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
    expect(existsSync(target), `${page}: ${link}`).toBe(true);
    if (anchor !== undefined && statSync(target).isFile()) {
      expect(anchorsOf(readFileSync(target, "utf8")), `${page}: ${link}`).toContain(anchor);
    }
  }
});

// A path may be a prefix of a file name, because filters of test commands are prefixes.
it.each(PAGES)("%s names existing files and folders of the repository only", (page) => {
  const paths = [...withoutFences(textOf(page)).matchAll(/`([^`\s]+)`/g)].map(([, code = ""]) => code);
  const missing = paths.filter(
    (path) => REPOSITORY_PATH.test(path) && globSync([path, `${path}*`], { cwd: ROOT }).length === 0,
  );
  expect(missing).toEqual([]);
});

it.each(INSTALL_PAGES)("%s names tarballs of the current version only", (page) => {
  const current = ["server", "sdk"].map((folder) => {
    const { name, version } = JSON.parse(textOf(`${folder}/package.json`));
    return `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
  });
  const named = textOf(page).match(/\btierkeep-[\w.-]+\.tgz\b/g) ?? [];
  expect(named).not.toEqual([]);
  expect(named.filter((tarball) => !current.includes(tarball))).toEqual([]);
});

/** Returns the anchors that GitHub gives to a page's headings. */
function anchorsOf(markdown: string): string[] {
  return [...withoutFences(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, "");
}
