import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textOnly } from "./text-only.ts";

const key = { tenantId: "acme", workflowId: "weekly", artifactId: "a" };

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function shown(bytes: Uint8Array, size = 7): Promise<string> {
  let all = "";
  for await (const text of textOnly(chunksOf(bytes, size), key)) all += text;
  return all;
}

describe("textOnly", () => {
  it("yields text unchanged, wherever its chunks end", async () => {
    const anyText = fc
      .string({ unit: "binary" })
      .filter((text) => !/\p{Cc}/u.test(text) && !text.startsWith("\ufeff"));
    const property = fc.asyncProperty(anyText, fc.integer({ min: 1, max: 5 }), async (text, size) => {
      expect(await shown(Buffer.from(`${text}\r\n\t`), size)).toBe(`${text}\r\n\t`);
    });
    await fc.assert(property);
  });

  it.each([
    ["a colour", Buffer.from("\u001b[31mred")],
    ["a NUL", Buffer.from("a\u0000b")],
    ["a control character of two bytes", Buffer.from("a\u009b31m")],
    ["bytes that are not UTF-8", Buffer.from([0x61, 0xff, 0x61])],
    ["an incomplete character at the end", Buffer.from("é").subarray(0, 1)],
  ])("rejects %s with the artifact's key", async (_, bytes) => {
    await expect(shown(bytes, 1)).rejects.toThrow("acme/weekly/a is not plain text");
    await expect(shown(bytes, 1)).rejects.toMatchObject({ code: "BAD_USER_INPUT" });
  });
});
