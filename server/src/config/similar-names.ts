/** Shorter names are ignored: they may belong to another program. */
const LEAST_LENGTH = 14;
const MOST_EDITS = 2;

/**
 * Returns the names in `given` that are probably misspelt, each with the known name that is meant. Such a name has at
 * least 14 letters and differs from the known one by at most two.
 */
export function similarNames(
  given: readonly string[],
  known: readonly string[],
): readonly (readonly [name: string, meant: string])[] {
  const names = new Set(known);
  return given.flatMap((name) => {
    if (name.length < LEAST_LENGTH || names.has(name)) return [];
    const meant = known.find((each) => isNear(each, name));
    return meant === undefined ? [] : [[name, meant] as const];
  });
}

function isNear(a: string, b: string): boolean {
  return Math.abs(a.length - b.length) <= MOST_EDITS && edits(a, b) <= MOST_EDITS;
}

/** Returns the Levenshtein distance: the number of insertions, deletions and replacements. */
function edits(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}
