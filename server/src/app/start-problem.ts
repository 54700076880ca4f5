/** The store or the server cannot be opened with this configuration. The message is one line that says what to do. */
export class StartProblem extends Error {
  override readonly name = "StartProblem";
}
