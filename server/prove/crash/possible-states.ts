import type { Tier } from "@tierkeep/sdk";

/** What a client sees of an artifact. Null if there is none. */
export type State = { readonly checksum: string; readonly tier: Tier } | null;

export interface Key {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly artifactId: string;
}

interface Entry {
  readonly key: Key;
  /** One state if every request has an answer; more with requests in progress or without an answer. */
  states: readonly State[];
}

/** The states that each key may have, by the acknowledged changes and those without an answer. */
export class PossibleStates {
  readonly #entries = new Map<string, Entry>();
  readonly #forks = new Set<PossibleStates>();

  get keys(): Key[] {
    return [...this.#entries.values()].map(({ key }) => key);
  }

  of(key: Key): readonly State[] {
    return this.#entries.get(nameOf(key))?.states ?? [null];
  }

  /** Returns the state of a key without unanswered requests. @throws if several states are possible */
  certain(key: Key): State {
    const states = this.of(key);
    if (states.length !== 1) throw new Error(`${nameOf(key)} has ${states.length} possible states`);
    return states[0] ?? null;
  }

  /** Records a request: until its answer the key has its old state or the new one. */
  requested(key: Key, after: State): void {
    this.#set(key, [...this.of(key), after]);
    for (const fork of this.#forks) fork.requested(key, after);
  }

  /** Records the only possible state of a key. */
  confirmed(key: Key, state: State): void {
    this.#set(key, [state]);
  }

  /**
   * Returns the possible states of a copy of the store made between now and `join`: each current state, or
   * one requested until then.
   */
  fork(): PossibleStates {
    const fork = new PossibleStates();
    for (const [name, entry] of this.#entries) fork.#entries.set(name, { ...entry });
    this.#forks.add(fork);
    return fork;
  }

  /** Stops adding requests to the fork, because the copy is complete. */
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
