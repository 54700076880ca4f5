/** Thrown at the step at which the simulated process crashes, and at each later step. */
export class SimulatedCrash extends Error {
  override readonly name = "SimulatedCrash";
}

/** Records the steps of a simulated process, and crashes it after a given number of them. */
export class CrashPoint {
  readonly steps: string[] = [];
  readonly #lastStep: number;
  readonly #onStep: () => void;
  #crashed = false;

  /**
   * @param lastStep the number of steps before the crash; Infinity for none
   * @param onStep called before each step
   */
  constructor(lastStep = Number.POSITIVE_INFINITY, onStep = () => {}) {
    this.#lastStep = lastStep;
    this.#onStep = onStep;
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  /** Must be called before each step. @throws SimulatedCrash */
  step(name: string): void {
    if (this.#crashed || this.steps.length >= this.#lastStep) {
      this.#crashed = true;
      throw new SimulatedCrash(`crashed before step ${this.steps.length + 1}, ${name}`);
    }
    this.#onStep();
    this.steps.push(name);
  }

  /** Crashes now. */
  crash(): void {
    this.#crashed = true;
  }

  /** Must be called for work that is no step because it changes nothing. @throws SimulatedCrash after the crash */
  throwIfCrashed(): void {
    if (this.#crashed) throw new SimulatedCrash("has crashed");
  }
}
