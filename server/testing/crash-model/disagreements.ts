import type { Expected } from "./expected.ts";

/**
 * How what is seen differs from what must be there, as sentences. While a command had no answer yet, each artifact may
 * be as before it or as after it; never anything else.
 */
export function disagreements(seen: Expected, before: Expected, after: Expected): string[] {
  const paths = new Set([...seen.keys(), ...before.keys(), ...after.keys()]);
  return [...paths].flatMap((path) => {
    const is = JSON.stringify(seen.get(path));
    const allowed = [before, after].map((state) => JSON.stringify(state.get(path)));
    return allowed.includes(is) ? [] : [`${path} is ${is}, and may be ${[...new Set(allowed)].join(" or ")}`];
  });
}
