import type { Expected } from "./expected.ts";

/**
 * Differences between the visible and the expected state, as sentences. While a command has no answer, each artifact may
 * be in its state before or after the command, and in no other.
 */
export function disagreements(seen: Expected, before: Expected, after: Expected): string[] {
  const paths = new Set([...seen.keys(), ...before.keys(), ...after.keys()]);
  return [...paths].flatMap((path) => {
    const is = JSON.stringify(seen.get(path));
    const allowed = [before, after].map((state) => JSON.stringify(state.get(path)));
    return allowed.includes(is) ? [] : [`${path} is ${is}, and may be ${[...new Set(allowed)].join(" or ")}`];
  });
}
