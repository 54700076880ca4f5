/** A store violates what must hold. */
export class Violation extends Error {
  override readonly name = "Violation";
  /** A sentence for each violation. */
  readonly sentences: readonly string[];

  constructor(sentences: readonly string[], options?: ErrorOptions) {
    super(sentences.join("\n"), options);
    this.sentences = sentences;
  }

  /** @throws Violation if there are sentences */
  static unlessNone(sentences: readonly string[]): void {
    if (sentences.length > 0) throw new Violation(sentences);
  }

  /** Returns the violation with `when` it happened. Any other error counts as a violation too. */
  static when(when: string, thrown: unknown): Violation {
    const sentences = thrown instanceof Violation ? thrown.sentences : [String(thrown)];
    return new Violation(
      sentences.map((sentence) => `${when}: ${sentence}`),
      { cause: thrown },
    );
  }
}
