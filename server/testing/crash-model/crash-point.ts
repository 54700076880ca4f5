/** Thrown at the step at which the simulated process crashes, and at every later step. */
export class SimulatedCrash extends Error {
  override readonly name = "SimulatedCrash";
}

/** Records the steps of a simulated process by name, and crashes it before a chosen step. */
export class CrashPoint {
  readonly steps: string[] = [];
  readonly #lastStep: number;
  readonly #onStep: () => void;
  #dead = false;

  /**
   * @param lastStep steps before the crash; Infinity: no crash
   * @param onStep called before each step
   */
  constructor(lastStep = Number.POSITIVE_INFINITY, onStep = () => {}) {
    this.#lastStep = lastStep;
    this.#onStep = onStep;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Called before each step. @throws SimulatedCrash */
  step(name: string): void {
    if (this.#dead || this.steps.length >= this.#lastStep) {
      this.#dead = true;
      throw new SimulatedCrash(`crashed before step ${this.steps.length + 1}, ${name}`);
    }
    this.#onStep();
    this.steps.push(name);
  }

  /** Crashes now. */
  crash(): void {
    this.#dead = true;
  }

  /** For calls that change nothing: they are not steps, but a crashed process cannot make them. @throws SimulatedCrash */
  requireAlive(): void {
    if (this.#dead) throw new SimulatedCrash("the process has crashed");
  }
}
