/** Returns a unique random key. crypto.randomUUID is not available on pages over plain HTTP. */
export function newIdempotencyKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
