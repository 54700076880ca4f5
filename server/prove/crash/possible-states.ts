import type { Tier } from "@tierkeep/sdk";

/** What a client can tell of an artifact; null: there is none. */
export type State = { readonly checksum: string; readonly tier: Tier } | null;

export interface Key {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly artifactId: string;
}

interface Entry {
  readonly key: Key;
  /** One where everything is answered; with what is under way, or was when the server died, more. */
  states: readonly State[];
}

/** What each key may be now, by what was acknowledged and what has had no answer. */
export class PossibleStates {
  readonly #entries = new Map<string, Entry>();
  readonly #forks = new Set<PossibleStates>();

  get keys(): Key[] {
    return [...this.#entries.values()].map(({ key }) => key);
  }

  of(key: Key): readonly State[] {
    return this.#entries.get(nameOf(key))?.states ?? [null];
  }

  /** The one state of a key about which nothing is open. */
  certain(key: Key): State {
    const states = this.of(key);
    if (states.length !== 1) throw new Error(`${nameOf(key)} may be one of ${states.length} things`);
    return states[0] ?? null;
  }

  /** A change is on its way: before its answer the key is what it was or what it becomes. */
  asked(key: Key, after: State): void {
    this.#set(key, [...this.of(key), after]);
    for (const fork of this.#forks) fork.asked(key, after);
  }

  /** What the key is, without a doubt. */
  known(key: Key, state: State): void {
    this.#set(key, [state]);
  }

  /** Of a copy that is taken at some moment from now on: each key as it may be now, or as it is asked to become until `join`. */
  fork(): PossibleStates {
    const fork = new PossibleStates();
    for (const [name, entry] of this.#entries) fork.#entries.set(name, { ...entry });
    this.#forks.add(fork);
    return fork;
  }

  /** The copy has been taken. */
  join(fork: PossibleStates): void {
    this.#forks.delete(fork);
  }

  #set(key: Key, states: readonly State[]): void {
    this.#entries.set(nameOf(key), { key, states });
  }
}

export function nameOf({ tenantId, workflowId, artifactId }: Key): string {
  return `${tenantId}/${workflowId}/${artifactId}`;
}

export function isSame(a: State, b: State): boolean {
  return a?.checksum === b?.checksum && a?.tier === b?.tier;
}
