/** Returns this many random bytes. */
export type RandomBytes = (sizeBytes: number) => Buffer;

/** Returns a new object name: random, so that it is never reused and reveals nothing. */
export function newObject(random: RandomBytes): string {
  return random(16).toString("hex");
}

/** Returns the names of objects in one random folder, which is synced once for all of them. */
export function newObjectsTogether(random: RandomBytes, count: number): readonly string[] {
  const folder = random(1).toString("hex");
  return Array.from({ length: count }, () => `${folder}${random(15).toString("hex")}`);
}
