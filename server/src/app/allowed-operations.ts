import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, print } from "graphql";
import { StartProblem } from "./start-problem.ts";

/**
 * Returns the documents that a server accepts, as graphql-js prints them, so that whitespace and commas do not matter.
 *
 * @param setting "any", "sdk", or the path of a folder of .graphql files. Each file has one document, as the client sends
 *   it; they are accepted in addition to the documents of the SDK.
 * @returns null if the server accepts every document
 * @throws StartProblem for a folder that cannot be read, or a file that is not GraphQL
 */
export async function allowedOperations(setting: string): Promise<ReadonlySet<string> | null> {
  if (setting === "any") return null;
  const allowed = new Set<string>();
  for (const [name, document] of Object.entries(await import("@tierkeep/sdk"))) {
    if (name.endsWith("Document")) allowed.add(print(parse(String(document))));
  }
  if (setting === "sdk") return allowed;
  const files = await readdir(setting).catch((error: NodeJS.ErrnoException) => {
    throw new StartProblem(`ALLOWED_OPERATIONS ${setting}: the folder cannot be read (${error.code}).`);
  });
  for (const file of files.filter((name) => name.endsWith(".graphql"))) {
    const path = join(setting, file);
    try {
      allowed.add(print(parse(await readFile(path, "utf8"))));
    } catch (error) {
      throw new StartProblem(`ALLOWED_OPERATIONS ${path}: ${(error as Error).message}`);
    }
  }
  return allowed;
}
