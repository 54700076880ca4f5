import type { Expected } from "./expected.ts";

/**
 * Compares the artifacts of a store with the expected ones, and returns a sentence for each difference. Each artifact
 * may be as before or as after a command without an answer.
 */
export function disagreements(seen: Expected, before: Expected, after: Expected): string[] {
  const paths = new Set([...seen.keys(), ...before.keys(), ...after.keys()]);
  return [...paths].flatMap((path) => {
    const is = JSON.stringify(seen.get(path));
    const allowed = [before, after].map((state) => JSON.stringify(state.get(path)));
    return allowed.includes(is)
      ? []
      : [`${path} is ${is}, but must be ${[...new Set(allowed)].join(" or ")}`];
  });
}
