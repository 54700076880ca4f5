/** The store or the server cannot be opened with this configuration. The message is one line and says what to do. */
export class StartProblem extends Error {
  override readonly name = "StartProblem";
}
