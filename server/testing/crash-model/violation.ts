/** A guarantee of a store does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
  /** One sentence for each violated expectation. */
  readonly sentences: readonly string[];

  constructor(sentences: readonly string[], options?: ErrorOptions) {
    super(sentences.join("\n"), options);
    this.sentences = sentences;
  }

  /** @throws Violation unless `sentences` is empty */
  static unlessNone(sentences: readonly string[]): void {
    if (sentences.length > 0) throw new Violation(sentences);
  }

  /** Adds the moment to each sentence. Any other error counts as one violation. */
  static when(when: string, thrown: unknown): Violation {
    const sentences = thrown instanceof Violation ? thrown.sentences : [String(thrown)];
    return new Violation(
      sentences.map((sentence) => `${when}: ${sentence}`),
      { cause: thrown },
    );
  }
}
