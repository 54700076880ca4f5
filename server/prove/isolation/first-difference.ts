/** The longest value that is shown in full, in characters. */
const SHOWN = 120;

/** The first difference of two JSON values: its path, and both values there as short JSON. */
export interface Difference {
  readonly path: string;
  readonly here: string;
  readonly there: string;
}

/** Returns the first difference, or null if the values are equal. */
export function firstDifference(here: unknown, there: unknown, path = ""): Difference | null {
  if (here === there) return null;
  if (!isContainer(here) || !isContainer(there) || Array.isArray(here) !== Array.isArray(there))
    return { path: path === "" ? "the answer" : path, here: shown(here), there: shown(there) };
  for (const name of new Set([...Object.keys(here), ...Object.keys(there)])) {
    const step = Array.isArray(here) ? `[${name}]` : path === "" ? name : `.${name}`;
    const found = firstDifference(here[name], there[name], `${path}${step}`);
    if (found !== null) return found;
  }
  return null;
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function shown(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}
