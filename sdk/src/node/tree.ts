import process from "node:process";
import { TierkeepError } from "../errors.ts";

/** A workflow whose artifacts are the files of a directory. */
export interface Tree {
  readonly tenantId: string;
  readonly workflowId: string;
}

export interface TreeFile {
  /** Path below the directory, with "/" between its parts. */
  readonly path: string;
  readonly artifactId: string;
  readonly sizeBytes: number;
}

export interface TreeProgress {
  readonly doneFiles: number;
  readonly totalFiles: number;
  /** Bytes of all files, including those in progress. */
  readonly transferredBytes: number;
  readonly totalBytes: number;
}

export interface TreeResult {
  readonly fileCount: number;
  readonly totalBytes: number;
}

/** Maximum number of problems in an error message. */
const MAX_SHOWN = 20;

/**
 * Returns the artifact id of a file below the directory: its path. It is in NFC, as ids must be; macOS returns
 * names in NFD. No segment of an id begins with a dot, so `a/.b` becomes `a__.b`. The path is stored unchanged in
 * the metadata, as `path`.
 */
export function artifactIdOf(path: string): string {
  return hasDotPart(path) ? flatIdOf(path) : path.normalize("NFC");
}

/** Returns a path as an id of one segment. */
export function flatIdOf(path: string): string {
  return path.replaceAll("/", "__").normalize("NFC");
}

/** Returns true if a relative path stays within its directory on every file system. */
export function staysInside(path: string): boolean {
  return path.split("/").every((part) => !/^\.{0,2}$|[\\:\0]/.test(part));
}

/**
 * Returns true for a path with a part that starts with a dot, such as `.git/hooks/post-checkout`. Programs
 * may execute such files.
 */
export function hasDotPart(path: string): boolean {
  return path.split("/").some((part) => part.startsWith("."));
}

/** Does nothing if `problems` is empty. @throws TierkeepError with this code and the problems */
export function refuse(code: "BAD_USER_INPUT" | "INVALID_IDENTIFIER", problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length - MAX_SHOWN;
  const shown = [...problems.slice(0, MAX_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])];
  throw new TierkeepError(code, `Nothing was transferred:\n  ${shown.join("\n  ")}`);
}

/**
 * Returns a problem for each pair of files with the same name, and for each file whose name is also a folder.
 */
export function collisionsOf(files: readonly TreeFile[], nameOf: (file: TreeFile) => string): string[] {
  // On these systems, names that differ only in case or Unicode form may be the same file.
  const folds = process.platform === "win32" || process.platform === "darwin";
  const fold = (name: string) => (folds ? name.normalize("NFC").toLowerCase() : name);
  const byName = new Map<string, TreeFile>();
  const problems: string[] = [];
  const named = (one: TreeFile) =>
    one.path === one.artifactId ? one.path : `${one.path} (${one.artifactId})`;
  for (const file of files) {
    const other = byName.get(fold(nameOf(file)));
    if (other) problems.push(`${named(other)} and ${named(file)} have the same name`);
    else byName.set(fold(nameOf(file)), file);
  }
  for (const file of files) {
    const parts = fold(nameOf(file)).split("/");
    for (let count = 1; count < parts.length; count += 1) {
      const other = byName.get(parts.slice(0, count).join("/"));
      if (other) problems.push(`${named(other)} is a file, and ${named(file)} needs a folder of that name`);
    }
  }
  return problems;
}

/**
 * Transfers files, `concurrency` at a time. The first failure aborts the transfers in progress. @throws that
 * failure, after they have stopped
 */
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
  if (!(concurrency >= 1)) throw new TypeError("concurrency must be 1 or more.");
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
