import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** Signs checkpoints. */
export interface SigningKey {
  readonly id: string;
  /** SPKI, PEM. */
  readonly publicPem: string;
  /** The signature in base64. */
  sign(text: string): string;
}

/** Returns a new private key: Ed25519, PKCS#8, PEM. */
export function newKeyPem(): string {
  return generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey;
}

/** @param pem an Ed25519 private key as PKCS#8 @throws Error if it is anything else */
export function signingKey(pem: string): SigningKey {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== "ed25519") throw new Error("it is not an Ed25519 key");
  const publicKey = createPublicKey(key);
  return {
    id: keyId(publicKey),
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    sign: (text) => sign(null, Buffer.from(text), key).toString("base64"),
  };
}

/** Public keys by their ids. */
export class PublicKeys {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  /** @param text PEMs; other text between them is ignored @throws Error if one is not an Ed25519 key */
  constructor(text: string) {
    const pems = text.match(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g) ?? [];
    this.#keys = new Map(
      pems.map((pem) => {
        const key = createPublicKey(pem);
        if (key.asymmetricKeyType !== "ed25519") throw new Error("it is not an Ed25519 key");
        return [keyId(key), key];
      }),
    );
  }

  get ids(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** Returns whether the key with this id signed the text. Null if no key has this id. */
  isSigned(id: string, text: string, signature: string): boolean | null {
    const key = this.#keys.get(id);
    if (key === undefined) return null;
    const bytes = Buffer.from(signature, "base64");
    // The last base64 letter has spare bits. Accept only the canonical spelling.
    return bytes.toString("base64") === signature && verify(null, Buffer.from(text), key, bytes);
  }
}

function keyId(key: KeyObject): string {
  return hash("sha256", key.export({ type: "spki", format: "der" })).slice(0, 16);
}
