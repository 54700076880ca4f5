/** Something that must be true of a store is not. */
export class Violation extends Error {
  override readonly name = "Broken";
  /** What is not as it must be, each by itself. */
  readonly sentences: readonly string[];

  constructor(sentences: readonly string[], options?: ErrorOptions) {
    super(sentences.join("\n"), options);
    this.sentences = sentences;
  }

  /** @throws Broken unless there are none */
  static unlessNone(sentences: readonly string[]): void {
    if (sentences.length > 0) throw new Violation(sentences);
  }

  /** The same with `when` it happened; anything else that was thrown is broken too. */
  static when(when: string, thrown: unknown): Violation {
    const sentences = thrown instanceof Violation ? thrown.sentences : [String(thrown)];
    return new Violation(
      sentences.map((sentence) => `${when}: ${sentence}`),
      { cause: thrown },
    );
  }
}
