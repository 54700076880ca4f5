import { createHash, type Hash, randomBytes } from "node:crypto";

export interface GeneratedBytes {
  readonly sizeBytes: number;
  /** Yields the bytes in pieces. Each call yields the same bytes. */
  pieces(): AsyncGenerator<Uint8Array>;
  /** SHA-256 of all bytes, in lower-case hex. */
  readonly sha256: string;
}

const PIECE = 256 * 1024;

/** Generates `sizeBytes` non-repeating bytes while they are read, with one piece in memory at a time. */
export function generatedBytes(sizeBytes: number): GeneratedBytes {
  const noise = randomBytes(PIECE);

  function* all(): Generator<Uint8Array> {
    for (let offset = 0; offset < sizeBytes; offset += PIECE) {
      const piece = Buffer.from(noise.subarray(0, Math.min(PIECE, sizeBytes - offset)));
      if (piece.length >= 8) piece.writeBigUInt64LE(BigInt(offset), 0);
      yield piece;
    }
  }

  let sha256: string | undefined;
  return {
    sizeBytes,
    async *pieces() {
      yield* all();
    },
    get sha256() {
      if (sha256 === undefined) {
        const hash: Hash = createHash("sha256");
        for (const piece of all()) hash.update(piece);
        sha256 = hash.digest("hex");
      }
      return sha256;
    },
  };
}
