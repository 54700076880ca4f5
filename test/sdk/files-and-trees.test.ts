import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  AbortError,
  BadUserInputError,
  ChecksumMismatchError,
  createTierkeep,
  InvalidIdentifierError,
  PreconditionFailedError,
} from "@tierkeep/sdk";
import {
  downloadFile,
  downloadTree,
  fileContent,
  planTree,
  type TreeProgress,
  uploadFile,
  uploadTree,
} from "@tierkeep/sdk/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { removeDirectory, temporaryDirectory } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();
const checksumOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

let folder: string;
let tree: { tenantId: string; workflowId: string };
let key: { tenantId: string; workflowId: string; artifactId: string };

beforeEach(async () => {
  folder = await temporaryDirectory();
  tree = { tenantId: newTenant(), workflowId: "nightly" };
  key = { ...tree, artifactId: "model.bin" };
});

afterEach(() => removeDirectory(folder));

async function filesIn(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files: Record<string, string> = {};
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files[path.slice(directory.length + 1)] = await readFile(path, "utf8");
  }
  return files;
}

/** Writes these files below `folder` and creates missing folders. */
async function lay(files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

describe("a file", () => {
  it("is uploaded and downloaded unchanged, with progress for all bytes", async () => {
    const bytes = randomBytes(700_000);
    const path = join(folder, "model.bin");
    await writeFile(path, bytes);
    const sent: (number | null)[][] = [];
    const { artifact, created } = await uploadFile(shared.tierkeep, key, path, {
      tier: "WARM",
      metadata: { epoch: 3 },
      checksum: checksumOf(bytes),
      onProgress: ({ sentBytes, totalBytes }) => sent.push([sentBytes, totalBytes]),
    });
    expect(created).toBe(true);
    expect(artifact).toMatchObject({ tier: "WARM", sizeBytes: bytes.length, metadata: { epoch: 3 } });
    expect(sent[0]).toEqual([0, bytes.length]);
    expect(sent.at(-1)).toEqual([bytes.length, bytes.length]);
    expect(sent.length).toBeGreaterThan(5);

    const received: number[] = [];
    const target = join(folder, "back.bin");
    const file = await downloadFile(shared.tierkeep, key, target, {
      onProgress: ({ receivedBytes }) => received.push(receivedBytes),
    });
    expect(file).toMatchObject({ sizeBytes: bytes.length, checksum: checksumOf(bytes) });
    expect(checksumOf(await readFile(target))).toBe(checksumOf(bytes));
    expect(received).toEqual([...received].sort((a, b) => a - b));
    expect(received.at(-1)).toBe(bytes.length);
  });

  it("keeps its mode when a download replaces it, and a new file gets the mode of the umask", async () => {
    await shared.tierkeep.upload(key, "content");
    await lay({ "old.txt": "before" });
    const modeOf = async (name: string) => (await stat(join(folder, name))).mode & 0o777;
    for (const mode of [0o600, 0o664, 0o755]) {
      await chmod(join(folder, "old.txt"), mode);
      await downloadFile(shared.tierkeep, key, join(folder, "old.txt"));
      expect([mode, await modeOf("old.txt")]).toEqual([mode, mode]);
    }
    await downloadFile(shared.tierkeep, key, join(folder, "new.txt"));
    expect(await modeOf("new.txt")).toBe(0o666 & ~process.umask());
  });

  it("can be the content of an upload through fileContent", async () => {
    await lay({ "note.txt": "from a file" });
    await shared.tierkeep.upload(key, await fileContent(join(folder, "note.txt")));
    await expect(shared.tierkeep.download(key).then((found) => found.text())).resolves.toBe("from a file");
  });

  it("is rejected before the upload if it is a folder or does not exist", async () => {
    await expect(uploadFile(shared.tierkeep, key, folder)).rejects.toBeInstanceOf(TypeError);
    await expect(uploadFile(shared.tierkeep, key, join(folder, "none"))).rejects.toMatchObject({
      code: "ENOENT",
    });
    await expect(shared.tierkeep.artifact(key)).resolves.toBeNull();
  });

  it("keeps its content when a download fails, and no partial file remains", async () => {
    const target = join(folder, "report.txt");
    await writeFile(target, "before");
    await shared.tierkeep.upload(key, "x".repeat(200_000));
    const damaging = createTierkeep({
      url: shared.server.url,
      async fetch(url, init) {
        const response = await fetch(url, init);
        const bytes = new Uint8Array(await response.arrayBuffer());
        bytes[100_000] = 0;
        return new Response(bytes, response);
      },
    });
    await expect(downloadFile(damaging, key, target)).rejects.toBeInstanceOf(ChecksumMismatchError);
    const controller = new AbortController();
    const { signal } = controller;
    const ended = downloadFile(shared.tierkeep, key, target, {
      signal,
      onProgress: () => controller.abort(),
    });
    await expect(ended).rejects.toBeInstanceOf(AbortError);
    expect(await filesIn(folder)).toEqual({ "report.txt": "before" });
  });

  it("is rejected with ENOENT if the target folder of a download does not exist", async () => {
    await shared.tierkeep.upload(key, "hi");
    const target = join(folder, "no", "such", "folder.txt");
    await expect(downloadFile(shared.tierkeep, key, target)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("a directory tree", () => {
  const files = { "a.txt": "one", "sub/b.txt": "two", "sub/deeper/c.txt": "three", "naïve 𝄞.txt": "four" };

  it("is uploaded as one artifact per file, named by its path, and downloaded unchanged", async () => {
    await lay({ ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`up/${path}`, text])) });
    await mkdir(join(folder, "up", "empty"));
    const done: string[] = [];
    const progress: TreeProgress[] = [];
    const result = await uploadTree(shared.tierkeep, tree, join(folder, "up"), {
      tier: "WARM",
      metadata: { run: 7 },
      concurrency: 2,
      onFile: ({ path, artifactId, created }) => done.push(`${path} ${artifactId} ${created}`),
      onProgress: (now) => progress.push(now),
    });
    expect(result).toEqual({ fileCount: 4, totalBytes: 15 });
    expect(done.sort()).toEqual([
      "a.txt a.txt true",
      "naïve 𝄞.txt naïve 𝄞.txt true",
      "sub/b.txt sub/b.txt true",
      "sub/deeper/c.txt sub/deeper/c.txt true",
    ]);
    expect(progress[0]).toEqual({ doneFiles: 0, totalFiles: 4, transferredBytes: 0, totalBytes: 15 });
    expect(progress.at(-1)).toEqual({ doneFiles: 4, totalFiles: 4, transferredBytes: 15, totalBytes: 15 });
    const found = await shared.tierkeep.artifact({ ...tree, artifactId: "sub/deeper/c.txt" });
    expect(found).toMatchObject({ tier: "WARM", metadata: { run: 7, path: "sub/deeper/c.txt" } });

    const down = join(folder, "made", "down");
    const paths: string[] = [];
    const back = await downloadTree(shared.tierkeep, tree, down, { onFile: ({ path }) => paths.push(path) });
    expect(back).toEqual({ fileCount: 4, totalBytes: 15 });
    expect(await filesIn(down)).toEqual(files);
    expect(paths.sort()).toEqual(Object.keys(files).sort());
  });

  it("is downloaded over existing files of the same path and leaves other files unchanged", async () => {
    await lay({ "up/a.txt": "new" });
    await uploadTree(shared.tierkeep, tree, join(folder, "up"));
    await lay({ "down/a.txt": "old", "down/other.txt": "mine" });
    await downloadTree(shared.tierkeep, tree, join(folder, "down"));
    expect(await filesIn(join(folder, "down"))).toEqual({ "a.txt": "new", "other.txt": "mine" });
  });

  it("keeps the ids of one segment that an earlier version gave to files in folders", async () => {
    const earlier = { ...tree, artifactId: "sub__old.txt" };
    await shared.tierkeep.upload(earlier, "before", { metadata: { path: "sub/old.txt" } });
    await shared.tierkeep.upload({ ...tree, artifactId: "sub__other.txt" }, "another", { metadata: {} });
    await lay({ "up/sub/old.txt": "after", "up/sub/other.txt": "mine" });
    for (const unchanged of [false, true]) {
      const plan = await planTree(shared.tierkeep, tree, join(folder, "up"));
      const ids = (unchanged ? plan.unchanged : plan.writes).map(({ artifactId }) => artifactId);
      expect(ids).toEqual(["sub__old.txt", "sub/other.txt"]);
      await uploadTree(shared.tierkeep, tree, join(folder, "up"));
    }
    expect(await (await shared.tierkeep.download(earlier)).text()).toBe("after");
  });

  it("with two files of the same artifact id is rejected before the first write", async () => {
    await lay({ "a__.b": "one", "a/.b": "two", "fine.txt": "three" });
    const refused = uploadTree(shared.tierkeep, tree, folder);
    await expect(refused).rejects.toBeInstanceOf(BadUserInputError);
    await expect(refused).rejects.toThrow(/a\/\.b .* and a__\.b|a__\.b and a\/\.b/);
    await expect(shared.tierkeep.artifacts({ where: tree })).resolves.toMatchObject({ nodes: [] });
  });

  it("with invalid artifact names is rejected before the first write, and the error lists each name", async () => {
    await lay({ ".hidden": "1", "fine.txt": "2", "sub/what?.txt": "3", "nul.txt": "4" });
    const error = await uploadTree(shared.tierkeep, tree, folder).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidIdentifierError);
    expect((error as Error).message).toMatch(/\.hidden: .*\n.*nul\.txt: .*\n.*sub\/what\?\.txt: /);
    await expect(shared.tierkeep.artifacts({ where: tree })).resolves.toMatchObject({ nodes: [] });
  });

  it("with a symbolic link is rejected, because the link may point outside the tree", async () => {
    await lay({ "tree/fine.txt": "1", "secret.txt": "2" });
    await symlink("../secret.txt", join(folder, "tree", "link.txt"));
    const refused = uploadTree(shared.tierkeep, tree, join(folder, "tree"));
    await expect(refused).rejects.toBeInstanceOf(BadUserInputError);
    await expect(refused).rejects.toThrow("link.txt");
  });

  it("is uploaded again without its unchanged files, so their age is kept", async () => {
    await lay({ "up/a.txt": "1", "up/b.txt": "2", "up/c.txt": "3" });
    const up = join(folder, "up");
    await uploadTree(shared.tierkeep, tree, up, { metadata: { run: 7 } });
    const before = await shared.tierkeep.artifact({ ...tree, artifactId: "a.txt" });
    await lay({ "up/b.txt": "changed", "up/d.txt": "4" });
    await shared.tierkeep.upload({ ...tree, artifactId: "c.txt" }, "3", { metadata: { path: "c.txt" } });
    const [written, unchanged]: string[][] = [[], []];
    const options = {
      metadata: { run: 7 },
      onFile: ({ path }: { path: string }) => written?.push(path),
      onUnchanged: ({ path }: { path: string }) => unchanged?.push(path),
    };
    expect(await uploadTree(shared.tierkeep, tree, up, options)).toMatchObject({ fileCount: 3 });
    // c.txt has the same content but different metadata.
    expect([written?.sort(), unchanged]).toEqual([["b.txt", "c.txt", "d.txt"], ["a.txt"]]);
    expect((await shared.tierkeep.artifact({ ...tree, artifactId: "a.txt" }))?.modifiedAt).toBe(
      before?.modifiedAt,
    );
    expect(await uploadTree(shared.tierkeep, tree, up, { ...options, rewrite: true })).toMatchObject({
      fileCount: 4,
    });
  });

  it("can be planned without an upload", async () => {
    await lay({ "up/a.txt": "1", "up/b.txt": "2", "up/.hidden": "3" });
    const up = join(folder, "up");
    await shared.tierkeep.upload({ ...tree, artifactId: "a.txt" }, "0");
    await shared.tierkeep.upload({ ...tree, artifactId: "b.txt" }, "2", { metadata: { path: "b.txt" } });
    await symlink("a.txt", join(up, "link"));
    const plan = await planTree(shared.tierkeep, tree, up, { skipInvalid: true });
    expect(plan).toEqual({
      writes: [{ path: "a.txt", artifactId: "a.txt", sizeBytes: 1, replaces: true }],
      unchanged: [{ path: "b.txt", artifactId: "b.txt", sizeBytes: 1 }],
      skipped: [
        { path: ".hidden", reason: expect.stringMatching(/^the name "\.hidden" starts with a dot\./) },
        { path: "link", reason: "it is a link, or not a regular file" },
      ],
    });
    await expect(planTree(shared.tierkeep, tree, up)).rejects.toBeInstanceOf(BadUserInputError);
    await expect(shared.tierkeep.artifactContent({ ...tree, artifactId: "a.txt" })).resolves.toMatchObject({
      text: "0",
    });
  });

  it("is uploaded without files that cannot be artifacts if skipInvalid is set", async () => {
    await lay({ "fine.txt": "1", ".git/config": "2", "sub/what?.txt": "3" });
    const skipped: string[] = [];
    const options = { skipInvalid: true, onSkip: ({ path }: { path: string }) => skipped.push(path) };
    expect(await uploadTree(shared.tierkeep, tree, folder, options)).toMatchObject({ fileCount: 1 });
    expect(skipped).toEqual([".git/config", "sub/what?.txt"]);
  });

  it("with names in NFD is uploaded under NFC names and downloaded under the original names", async () => {
    const nfd = "re\u0301sume\u0301.txt";
    await lay({ [`up/${nfd}`]: "1" });
    await uploadTree(shared.tierkeep, tree, join(folder, "up"));
    await expect(
      shared.tierkeep.artifact({ ...tree, artifactId: nfd.normalize("NFC") }),
    ).resolves.toMatchObject({ metadata: { path: nfd } });
    await downloadTree(shared.tierkeep, tree, join(folder, "down"));
    expect(await readdir(join(folder, "down"))).toEqual([nfd]);
  });

  it("stops an upload at the first failure and throws it", async () => {
    await lay({ "a.txt": "1", "b.txt": "2" });
    await uploadTree(shared.tierkeep, tree, folder);
    const again = uploadTree(shared.tierkeep, tree, folder, { ifAbsent: true });
    await expect(again).rejects.toBeInstanceOf(PreconditionFailedError);
  });

  it("stops a download with AbortError at its signal and leaves only complete files", async () => {
    await lay({ "up/a.txt": "x".repeat(100_000), "up/b.txt": "y".repeat(100_000) });
    await uploadTree(shared.tierkeep, tree, join(folder, "up"));
    const controller = new AbortController();
    const ended = downloadTree(shared.tierkeep, tree, join(folder, "down"), {
      concurrency: 1,
      signal: controller.signal,
      onProgress: ({ transferredBytes }) => transferredBytes > 100_000 && controller.abort(),
    });
    await expect(ended).rejects.toBeInstanceOf(AbortError);
    expect(Object.keys(await filesIn(join(folder, "down")))).toEqual(["a.txt"]);
  });

  it.each(["../outside.txt", "/outside.txt", "sub/../../outside.txt", "..\\outside.txt", ""])(
    "is downloaded with the artifact id in place of the path %j, so no file leaves the directory",
    async (path) => {
      await shared.tierkeep.upload(key, "caught", { metadata: { path } });
      await downloadTree(shared.tierkeep, tree, join(folder, "down"));
      expect(await filesIn(folder)).toEqual({ "down/model.bin": "caught" });
    },
  );

  it.each([".git/hooks/post-checkout", "sub/.npmrc", ".bashrc"])(
    "is downloaded with the artifact id in place of the dot file %j, unless dotFiles is set",
    async (path) => {
      await shared.tierkeep.upload(key, "caught", { metadata: { path } });
      const ignored: string[] = [];
      await downloadTree(shared.tierkeep, tree, join(folder, "down"), {
        onPathIgnored: (file, named) => ignored.push(`${named} -> ${file.path}`),
      });
      expect(await filesIn(folder)).toEqual({ "down/model.bin": "caught" });
      expect(ignored).toEqual([`${path} -> model.bin`]);
      await downloadTree(shared.tierkeep, tree, join(folder, "dots"), { dotFiles: true });
      expect(await filesIn(join(folder, "dots"))).toEqual({ [path]: "caught" });
    },
  );

  it("is not downloaded through a symbolic link in the directory", async () => {
    await mkdir(join(folder, "elsewhere"));
    await mkdir(join(folder, "down"));
    await symlink("../elsewhere", join(folder, "down", "sub"));
    await shared.tierkeep.upload(key, "caught", { metadata: { path: "sub/file.txt" } });
    const refused = downloadTree(shared.tierkeep, tree, join(folder, "down"));
    await expect(refused).rejects.toBeInstanceOf(BadUserInputError);
    expect(await filesIn(join(folder, "elsewhere"))).toEqual({});
  });

  it("is not downloaded if one path is both a file and a folder, and nothing is written", async () => {
    await shared.tierkeep.upload({ ...tree, artifactId: "1" }, "one", { metadata: { path: "a" } });
    await shared.tierkeep.upload({ ...tree, artifactId: "2" }, "two", { metadata: { path: "a/b" } });
    const refused = downloadTree(shared.tierkeep, tree, join(folder, "down"));
    await expect(refused).rejects.toBeInstanceOf(BadUserInputError);
    await expect(refused).rejects.toThrow("a (1) is a file, and a/b (2) needs a folder of that name");
    expect(await filesIn(folder)).toEqual({});
  });
});
