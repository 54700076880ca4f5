import process from "node:process";
import { TierkeepError } from "../errors.ts";

/** A workflow whose artifacts are the files of a directory. */
export interface Tree {
  readonly tenantId: string;
  readonly workflowId: string;
}

export interface TreeFile {
  /** Below the directory, with "/" between its parts. */
  readonly path: string;
  readonly artifactId: string;
  readonly sizeBytes: number;
}

export interface TreeProgress {
  readonly doneFiles: number;
  readonly totalFiles: number;
  /** Of all files together, those under way included. */
  readonly transferredBytes: number;
  readonly totalBytes: number;
}

export interface TreeResult {
  readonly fileCount: number;
  readonly totalBytes: number;
}

/** How many of a tree's names are told of when they are refused. */
const MOST_TOLD = 20;

/**
 * Returns an artifact's id for a file below the directory, in NFC: macOS gives names in NFD, which ids may not be. The path
 * itself is kept in its metadata, as `path`.
 */
export function artifactIdOf(path: string): string {
  return path.replaceAll("/", "__").normalize("NFC");
}

/** True for a path that stays in the directory that it is taken from, on every file system. */
export function staysInside(path: string): boolean {
  return path.split("/").every((part) => !/^\.{0,2}$|[\\:\0]/.test(part));
}

/** True for a path with a part that begins with a dot, such as `.git/hooks/post-checkout`: programs act on such files. */
export function hasDotPart(path: string): boolean {
  return path.split("/").some((part) => part.startsWith("."));
}

/** @throws TierkeepError of this code that names what is wrong with which files; nothing when `problems` is empty */
export function refuse(code: "BAD_USER_INPUT" | "INVALID_IDENTIFIER", problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length - MOST_TOLD;
  const told = [...problems.slice(0, MOST_TOLD), ...(more > 0 ? [`and ${more} more`] : [])];
  throw new TierkeepError(code, `Nothing has been transferred:\n  ${told.join("\n  ")}`);
}

/** Which files would fall on one another: as one name, or one being a folder of the other. */
export function collisionsOf(files: readonly TreeFile[], nameOf: (file: TreeFile) => string): string[] {
  // Where the file system may take both for one.
  const folds = process.platform === "win32" || process.platform === "darwin";
  const fold = (name: string) => (folds ? name.normalize("NFC").toLowerCase() : name);
  const byName = new Map<string, TreeFile>();
  const problems: string[] = [];
  const told = (one: TreeFile) =>
    one.path === one.artifactId ? one.path : `${one.path} (${one.artifactId})`;
  for (const file of files) {
    const other = byName.get(fold(nameOf(file)));
    if (other) problems.push(`${told(other)} and ${told(file)} have the same name`);
    else byName.set(fold(nameOf(file)), file);
  }
  for (const file of files) {
    const parts = fold(nameOf(file)).split("/");
    for (let count = 1; count < parts.length; count += 1) {
      const other = byName.get(parts.slice(0, count).join("/"));
      if (other) problems.push(`${told(other)} is a file, and ${told(file)} needs a folder of that name`);
    }
  }
  return problems;
}

/** Transfers each file, `concurrency` at a time. The first failure ends those under way, and is thrown once they have ended. */
export async function transferEach<File extends TreeFile>(
  files: readonly File[],
  options: {
    readonly concurrency?: number | undefined;
    readonly onProgress?: ((progress: TreeProgress) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
  },
  transfer: (file: File, signal: AbortSignal, moved: (bytes: number) => void) => Promise<void>,
): Promise<TreeResult> {
  const { concurrency = 4, onProgress } = options;
  if (!(concurrency >= 1)) throw new TypeError("concurrency is 1 or more.");
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let [doneFiles, transferredBytes, failure] = [0, 0, null as { readonly error: unknown } | null];
  const report = () => onProgress?.({ doneFiles, totalFiles: files.length, transferredBytes, totalBytes });

  const waiting = files.values();
  async function work(): Promise<void> {
    for (const file of waiting) {
      if (failure) return;
      let last = 0;
      const moved = (bytes: number) => {
        transferredBytes += bytes - last;
        last = bytes;
        report();
      };
      try {
        await transfer(file, signal, moved);
        doneFiles += 1;
        moved(file.sizeBytes);
      } catch (error) {
        failure ??= { error };
        failed.abort();
      }
    }
  }
  report();
  await Promise.all(Array.from({ length: Math.min(concurrency, files.length) }, work));
  const ended = failure as { readonly error: unknown } | null;
  if (ended) throw ended.error;
  return { fileCount: doneFiles, totalBytes: transferredBytes };
}
