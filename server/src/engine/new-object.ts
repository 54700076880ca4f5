/** So many random bytes. */
export type RandomBytes = (sizeBytes: number) => Buffer;

/** An object's name: random, so that it is never used twice and tells nothing. */
export function newObject(random: RandomBytes): string {
  return random(16).toString("hex");
}

/** Names of objects that share a random folder, which is synced once for all of them. */
export function newObjectsTogether(random: RandomBytes, count: number): readonly string[] {
  const folder = random(1).toString("hex");
  return Array.from({ length: count }, () => `${folder}${random(15).toString("hex")}`);
}
