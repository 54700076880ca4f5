import { damageFile } from "../../server/testing/stores/file-damage.ts";
import { objectWith } from "./storage-tree.ts";

/** Flips a bit in the last byte of the object that holds `content`. */
export async function damageObject(server: { readonly dir: string }, content: Buffer): Promise<void> {
  damageFile((await objectWith(server, content)) ?? "", { kind: "flip", at: 1 - Number.EPSILON, much: 0 });
}
