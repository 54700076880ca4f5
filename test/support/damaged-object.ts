import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { objectWith } from "./storage-tree.ts";

/** Flips a bit in the last byte of the object that holds `content`. */
export async function damageObject(server: { readonly dir: string }, content: Buffer): Promise<void> {
  const path = (await objectWith(server, content)) ?? "";
  const bytes = Buffer.from(readFileSync(path));
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
}
