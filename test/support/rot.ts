import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { objectWith } from "./storage-tree.ts";

/** Replaces a byte of an object behind the store's back. */
export async function rot(server: { readonly dir: string }, content: Buffer): Promise<void> {
  const path = (await objectWith(server, content)) ?? "";
  const bytes = Buffer.from(readFileSync(path));
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
}
