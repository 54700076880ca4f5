import {
  type ASTNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionSetNode,
  visit,
} from "graphql";

/** Properties of a document that are known without schema and variables. */
export interface DocumentShape {
  /**
   * Nesting depth of the fields, including fragments. Validation has a separate rule for `__schema` and
   * `__type`.
   */
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  /** Selections of a field that the same selection set already has. Validation compares them pairwise. */
  readonly repeats: number;
}

/**
 * Number of fields that are counted, with each fragment counted where it is spread. Beyond it, `depth` and
 * `repeats` are infinite.
 */
const MAX_FIELDS = 20_000;

/** Deepest level that is counted. */
const MAX_LEVELS = 100;

/** Measures a parsed document before validation. Cyclic, unknown and unused fragments are allowed. */
export function documentShape(document: DocumentNode): DocumentShape {
  const counter = new Counter(document);
  let depth = 0;
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION || definition.kind === Kind.FRAGMENT_DEFINITION) {
      depth = Math.max(depth, counter.depthOf([{ selectionSet: definition.selectionSet, within: null }]));
    }
  }
  return {
    ...counted(document),
    depth,
    repeats: counter.exhausted ? Number.POSITIVE_INFINITY : counter.repeats,
  };
}

function counted(document: DocumentNode): Pick<DocumentShape, "aliases" | "directives"> {
  let aliases = 0;
  let directives = 0;
  visit(document, {
    enter(node: ASTNode) {
      if (node.kind === Kind.FIELD && node.alias !== undefined) aliases += 1;
      if (node.kind === Kind.DIRECTIVE) directives += 1;
    },
  });
  return { aliases, directives };
}

/** The fragments around a selection, innermost first. */
interface Within {
  readonly name: string;
  readonly outer: Within | null;
}

/** A selection set with the fragments around it. */
interface Place {
  readonly selectionSet: SelectionSetNode;
  readonly within: Within | null;
}

/** The selections under one response name. */
interface ResponseField {
  readonly places: Place[];
  readonly isIntrospection: boolean;
}

class Counter {
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  #fields = 0;
  repeats = 0;

  constructor(document: DocumentNode) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        this.#fragments.set(definition.name.value, definition);
    }
  }

  get exhausted(): boolean {
    return this.#fields > MAX_FIELDS;
  }

  /** @param places selections of one field, which are executed together */
  depthOf(places: readonly Place[], above = 0): number {
    const below = new Map<string, ResponseField>();
    const spread = new Set<string>();
    for (const place of places) this.#collect(place, below, spread);
    if (above > MAX_LEVELS) this.#fields = Number.POSITIVE_INFINITY;
    let depth = 0;
    for (const { places: next, isIntrospection } of below.values()) {
      if (this.exhausted) return Number.POSITIVE_INFINITY;
      const inside = this.depthOf(next, above + 1);
      depth = Math.max(depth, 1 + (isIntrospection ? 0 : inside));
    }
    return depth;
  }

  /** Collects the fields by response name, each with its selections. */
  #collect({ selectionSet, within }: Place, into: Map<string, ResponseField>, spread: Set<string>): void {
    for (const selection of selectionSet.selections) {
      if (this.exhausted) return;
      this.#fields += 1;
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const inside = selection.selectionSet ? [{ selectionSet: selection.selectionSet, within }] : [];
        const before = into.get(name);
        if (before === undefined) {
          into.set(name, { places: inside, isIntrospection: selection.name.value.startsWith("__") });
        } else {
          this.repeats += 1;
          before.places.push(...inside);
        }
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        this.#collect({ selectionSet: selection.selectionSet, within }, into, spread);
      } else {
        const { value: name } = selection.name;
        const fragment = this.#fragments.get(name);
        if (fragment === undefined || spread.has(name) || isWithin(name, within)) continue;
        spread.add(name);
        this.#collect({ selectionSet: fragment.selectionSet, within: { name, outer: within } }, into, spread);
      }
    }
  }
}

function isWithin(name: string, within: Within | null): boolean {
  for (let at = within; at !== null; at = at.outer) if (at.name === name) return true;
  return false;
}
