/** Thrown at the step at which the modelled process dies, and at every step that it would have taken afterwards. */
export class SimulatedCrash extends Error {
  override readonly name = "Died";
}

/** Counts the steps of one life of a process by name, and ends it before the one it was told. */
export class CrashPoint {
  readonly steps: string[] = [];
  readonly #lastStep: number;
  readonly #onStep: () => void;
  #dead = false;

  /**
   * @param lastStep how many steps are taken before it dies; Infinity: it does not
   * @param onStep called before each step that is taken
   */
  constructor(lastStep = Number.POSITIVE_INFINITY, onStep = () => {}) {
    this.#lastStep = lastStep;
    this.#onStep = onStep;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Called before each step. @throws Died */
  step(name: string): void {
    if (this.#dead || this.steps.length >= this.#lastStep) {
      this.#dead = true;
      throw new SimulatedCrash(`died before step ${this.steps.length + 1}, ${name}`);
    }
    this.#onStep();
    this.steps.push(name);
  }

  /** Dies now, wherever it is. */
  blow(): void {
    this.#dead = true;
  }

  /** For what changes nothing, and so is no step, but that a dead process does not do either. @throws Died */
  alive(): void {
    if (this.#dead) throw new SimulatedCrash("is dead");
  }
}
