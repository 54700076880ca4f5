const CANONICAL = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Bytes per call of String.fromCharCode: far below any engine's limit of arguments, and a multiple of three.
 */
const CHUNK_BYTES = 0x6000;

export function toBase64(bytes: Uint8Array): string {
  // Uint8Array.prototype.toBase64 is 40 times as fast, and does not block the event loop on large content.
  // Node 24 does not have it.
  return typeof bytes.toBase64 === "function" ? bytes.toBase64() : toBase64Portably(bytes);
}

/** Encodes like toBase64, without Uint8Array.prototype.toBase64. */
export function toBase64Portably(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES)));
  }
  return text;
}

/**
 * Decodes strictly (RFC 4648, section 4): the text must be padded, without line breaks and without stray bits
 * in the last character. So each content has exactly one encoding, and no bits are dropped silently. Returns
 * null for any other text.
 */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || !CANONICAL.test(text)) return null;
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  // atob ignores the bits of the last character that do not fill a byte.
  if (text.endsWith("=") && btoa(binary.slice(-(binary.length % 3))) !== text.slice(-4)) return null;
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
