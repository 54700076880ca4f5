/** The store cannot be opened, or the server cannot start. The message is one line and says what to do. */
export class StartProblem extends Error {
  override readonly name = "StartProblem";
}
