import {
  type ASTNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionSetNode,
  visit,
} from "graphql";

/** What can be seen of a document without its schema and its variables. */
export interface DocumentShape {
  /** How deep its fields stand in each other, fragments included; below `__schema` and `__type` validation has a rule of its own. */
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  /** Selections of a field that stands in the same place already: validating compares each with each. */
  readonly repeats: number;
}

/** Fields that are looked at, with each fragment where it is spread: beyond, `depth` and `repeats` are infinite. */
const MOST_FIELDS = 20_000;

/** Beyond, nobody looks. */
const MOST_LEVELS = 100;

/** Measures a document that has been parsed and not validated: cyclic, unknown and unused fragments are borne. */
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

/** The fragments that a selection stands in, innermost first. */
interface Within {
  readonly name: string;
  readonly outer: Within | null;
}

/** A selection set, and where it stands. */
interface Place {
  readonly selectionSet: SelectionSetNode;
  readonly within: Within | null;
}

/** What stands under one name in one place. */
interface Answer {
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
    return this.#fields > MOST_FIELDS;
  }

  /** @param places selections of one field, which are executed as one */
  depthOf(places: readonly Place[], above = 0): number {
    const below = new Map<string, Answer>();
    const spread = new Set<string>();
    for (const place of places) this.#collect(place, below, spread);
    if (above > MOST_LEVELS) this.#fields = Number.POSITIVE_INFINITY;
    let depth = 0;
    for (const { places: next, isIntrospection } of below.values()) {
      if (this.exhausted) return Number.POSITIVE_INFINITY;
      const inside = this.depthOf(next, above + 1);
      depth = Math.max(depth, 1 + (isIntrospection ? 0 : inside));
    }
    return depth;
  }

  /** The fields of one place by the name that they answer under, each with what is selected in it. */
  #collect({ selectionSet, within }: Place, into: Map<string, Answer>, spread: Set<string>): void {
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
