import { Writable } from "node:stream";
import { type Output, outputTo } from "../../src/cli/output/output.ts";

/** A stream for tests that collects the text written to it. */
export class CapturedStream extends Writable {
  text = "";
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(isTTY = false, columns = 80) {
    super();
    this.isTTY = isTTY;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Returns an output for tests that writes to two such streams. */
export function capturedOutput(
  json = false,
): Output & { readonly stdout: CapturedStream; readonly stderr: CapturedStream } {
  const [stdout, stderr] = [new CapturedStream(), new CapturedStream()];
  return { ...outputTo({ json, stdout, stderr, env: {} }), stdout, stderr };
}
