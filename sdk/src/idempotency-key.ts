/** A key that nobody else has. crypto.randomUUID would do, but pages that came over plain HTTP lack it. */
export function newIdempotencyKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
