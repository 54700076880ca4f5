import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";

/** Control characters that a terminal acts on. Line ends, tabs and form feeds count as text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression matches control characters
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f]/;

/**
 * Decodes bytes as text that is safe to show on a terminal. Files of other users may contain control sequences.
 *
 * @throws Refused BAD_USER_INPUT at the first chunk that is not plain text
 */
export async function* textOnly(
  bytes: AsyncIterable<Uint8Array>,
  key: ArtifactKey,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of bytes) yield checked(() => decoder.decode(chunk, { stream: true }), key);
  yield checked(() => decoder.decode(), key);
}

function checked(decode: () => string, key: ArtifactKey): string {
  try {
    const text = decode();
    if (!CONTROL_CHARACTERS.test(text)) return text;
  } catch {}
  throw new Refused(
    "BAD_USER_INPUT",
    `${keyText(key)} is not plain text and cannot be shown on a terminal. Read it with -o FILE, or into a pipe.`,
  );
}
