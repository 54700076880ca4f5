import { createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { jwtKeys } from "./jwt-keys.ts";
import { jwtVerifier } from "./verify-jwt.ts";

const SECRET = randomBytes(32);
const RULES = { key: SECRET, issuer: "https://issuer.example", audience: "tierkeep" };
const verify = jwtVerifier(RULES);

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

const CLAIMS: JWTPayload = {
  iss: RULES.issuer,
  aud: RULES.audience,
  sub: "ada@example.com",
  exp: inSeconds(3600),
  tierkeep: { role: "writer", tenants: ["acme"] },
};

const signed = (claims: object, key: Uint8Array = SECRET, alg = "HS256") =>
  new SignJWT(claims as JWTPayload).setProtectedHeader({ alg }).sign(key);

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Returns why verify refuses a token, as the log has it. The client always gets the same message. */
async function reasonOf(token: string, verifier = verify): Promise<string> {
  const refused = await verifier(token).then(
    () => expect.fail("was taken"),
    (error: unknown) => error as Error & { readonly code: string },
  );
  expect(refused.code).toBe("UNAUTHENTICATED");
  expect(refused.message).toBe(
    "No valid credentials were given. Send Authorization: Bearer with a token that is valid here.",
  );
  const reason = (refused.cause as Error).message;
  for (const part of token.split(".")) if (part !== "") expect(reason).not.toContain(part);
  return reason;
}

describe("a JSON Web Token during a rotation of the secret", () => {
  const previousKey = randomBytes(32);
  const verifyBoth = jwtVerifier({ ...RULES, previousKey });

  it("is accepted with the signature of either secret", async () => {
    for (const key of [SECRET, previousKey]) {
      expect(await verifyBoth(await signed(CLAIMS, key))).toEqual(await verify(await signed(CLAIMS)));
    }
  });

  it("is rejected with any other signature, and for every other reason with either secret", async () => {
    expect(await reasonOf(await signed(CLAIMS, randomBytes(32)), verifyBoth)).toBe(
      "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
    );
    for (const key of [SECRET, previousKey]) {
      const expired = await signed({ ...CLAIMS, exp: inSeconds(-1) }, key);
      expect(await reasonOf(expired, verifyBoth)).toBe("ERR_JWT_EXPIRED");
      const foreign = await signed({ ...CLAIMS, iss: "https://other.example" }, key);
      expect(await reasonOf(foreign, verifyBoth)).toBe("ERR_JWT_CLAIM_VALIDATION_FAILED: iss");
      expect(await reasonOf(await signed(CLAIMS, Buffer.concat([key, key]), "HS512"), verifyBoth)).toMatch(
        /^ERR_JOSE_ALG_NOT_ALLOWED/,
      );
    }
  });

  it("is rejected with the signature of the previous secret once that is gone", async () => {
    const token = await signed(CLAIMS, previousKey);
    await verifyBoth(token);
    expect(await reasonOf(token)).toBe("ERR_JWS_SIGNATURE_VERIFICATION_FAILED");
  });
});

describe("a JSON Web Token signed by the secret", () => {
  it("yields the actor, its role in any case, its tenants, and its expiry", async () => {
    expect(await verify(await signed(CLAIMS))).toEqual({
      principal: { actor: "ada@example.com", role: "WRITER", tenants: ["acme"] },
      expiresAt: (CLAIMS.exp as number) * 1000,
      revoked: null,
    });
  });

  it("grants all tenants to an ADMIN, and to other roles only if the list is null", async () => {
    const tenantsOf = async (tierkeep: unknown) =>
      (await verify(await signed({ ...CLAIMS, tierkeep }))).principal.tenants;
    expect(await tenantsOf({ role: "ADMIN" })).toBeNull();
    expect(await tenantsOf({ role: "ADMIN", tenants: null })).toBeNull();
    expect(await tenantsOf({ role: "operator", tenants: null })).toBeNull();
    expect(await tenantsOf({ role: "reader", tenants: [] })).toEqual([]);
  });

  it("may come from a clock that is slightly ahead", async () => {
    await verify(await signed({ ...CLAIMS, nbf: inSeconds(3) }));
  });

  it.each<[string, object, string]>([
    ["has expired", { exp: inSeconds(-1) }, "ERR_JWT_EXPIRED"],
    ["never expires", { exp: undefined }, "ERR_JWT_CLAIM_VALIDATION_FAILED: exp"],
    ["is not valid yet", { nbf: inSeconds(60) }, "ERR_JWT_CLAIM_VALIDATION_FAILED: nbf"],
    ["is from another issuer", { iss: "https://evil.example" }, "ERR_JWT_CLAIM_VALIDATION_FAILED: iss"],
    ["has no issuer", { iss: undefined }, "ERR_JWT_CLAIM_VALIDATION_FAILED: iss"],
    ["is for another audience", { aud: "another" }, "ERR_JWT_CLAIM_VALIDATION_FAILED: aud"],
    ["has no audience", { aud: undefined }, "ERR_JWT_CLAIM_VALIDATION_FAILED: aud"],
    ["has no sub", { sub: undefined }, "ERR_JWT_CLAIM_VALIDATION_FAILED: sub"],
    ["has an empty sub", { sub: "" }, "sub is not the name of an actor"],
    ["uses the reserved name local", { sub: "local" }, "sub is not the name of an actor"],
    ["uses the reserved name schedule", { sub: "Schedule" }, "sub is not the name of an actor"],
    ["uses the reserved name of a key", { sub: "key:0011223344556677" }, "sub is not the name of an actor"],
    ["has a line break in its sub", { sub: "ada\nlocal" }, "sub is not the name of an actor"],
  ])("is refused when it %s", async (_what, claims, reason) => {
    expect(await reasonOf(await signed({ ...CLAIMS, ...claims }))).toBe(reason);
  });

  it.each([
    ["is missing", undefined],
    ["is text", "admin"],
    ["has no role", { tenants: ["acme"] }],
    ["has an unknown role", { role: "root", tenants: ["acme"] }],
    ["has a role with a dotless i", { role: "adm\u0131n" }],
    ["has a role with a long s", { role: "\u017fchreiber", tenants: ["acme"] }],
    ["has no tenants", { role: "writer" }],
    ["has a tenant outside a list", { role: "writer", tenants: "acme" }],
    ["has an invalid tenant", { role: "writer", tenants: ["../acme"] }],
    ["has tenants for an ADMIN", { role: "admin", tenants: ["acme"] }],
  ])("is refused when its claim %s", async (_what, tierkeep) => {
    expect(await reasonOf(await signed({ ...CLAIMS, tierkeep }))).toBe(
      "the claim tierkeep is not { role, tenants }",
    );
  });

  it.each([
    ["it is signed with another secret", async () => signed(CLAIMS, randomBytes(32))],
    [
      "it was changed",
      async () => {
        const [header, , signature] = (await signed(CLAIMS)).split(".");
        return `${header}.${encoded({ ...CLAIMS, tierkeep: { role: "ADMIN" } })}.${signature}`;
      },
    ],
  ])("is refused when %s", async (_what, token) => {
    expect(await reasonOf(await token())).toBe("ERR_JWS_SIGNATURE_VERIFICATION_FAILED");
  });

  it.each(["none", "None", "HS512", "RS256", ""])("is refused with the algorithm %j", async (alg) => {
    const unsigned = `${encoded({ alg })}.${encoded(CLAIMS)}`;
    const hmac = createHmac("sha256", SECRET).update(unsigned).digest("base64url");
    for (const signature of ["", hmac]) {
      expect(await reasonOf(`${unsigned}.${signature}`)).toMatch(
        /^ERR_(?:JOSE_ALG_NOT_ALLOWED|JWS_INVALID)$/,
      );
    }
    expect(await reasonOf(await signed(CLAIMS, randomBytes(64), "HS512"))).toBe("ERR_JOSE_ALG_NOT_ALLOWED");
  });

  it.each([
    "..",
    "a.b.c",
    "🙂.🙂.🙂",
    `${encoded({ alg: "HS256" })}.${encoded(CLAIMS)}.`,
    `${"x".repeat(9999)}..`,
  ])("is refused if it is malformed: %j", async (token) => {
    expect(await reasonOf(token)).toMatch(/^ERR_/);
  });
});

describe("a JSON Web Token signed by an issuer's key", () => {
  it.each(["RS256", "ES256"])("is verified with the key that it names: %s", async (alg) => {
    await using issuer = await Issuer.start(alg);
    const verifyIt = jwtVerifier({ ...RULES, key: jwtKeys(issuer.url) });
    expect((await verifyIt(await issuer.sign("one"))).principal.actor).toBe("ada@example.com");
  });

  it("is refused if it uses the public key as a secret", async () => {
    await using issuer = await Issuer.start("RS256");
    const verifyIt = jwtVerifier({ ...RULES, key: jwtKeys(issuer.url) });
    const jwk = issuer.published[0] as object;
    const pem = await exportSPKI(await importable(jwk));
    for (const secret of [Buffer.from(pem), Buffer.from(JSON.stringify(jwk))]) {
      expect(await reasonOf(await signed(CLAIMS, secret), verifyIt)).toBe("ERR_JOSE_ALG_NOT_ALLOWED");
    }
  });

  it("is refused if its RSA key has fewer than 2048 bits", async () => {
    await using issuer = await Issuer.start("RS256");
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    issuer.published.splice(0, 1, { ...publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256" });
    const unsigned = `${encoded({ alg: "RS256", kid: "one" })}.${encoded(CLAIMS)}`;
    const signature = sign("RSA-SHA256", Buffer.from(unsigned), privateKey).toString("base64url");
    const verifyIt = jwtVerifier({ ...RULES, key: jwtKeys(issuer.url) });
    expect(await reasonOf(`${unsigned}.${signature}`, verifyIt)).toBe("the RSA key has less than 2048 bits");
  });

  it("is refused if it names a key that the issuer has not published", async () => {
    await using issuer = await Issuer.start("ES256");
    const verifyIt = jwtVerifier({ ...RULES, key: jwtKeys(issuer.url) });
    expect(await reasonOf(await issuer.sign("another"), verifyIt)).toBe("ERR_JWKS_NO_MATCHING_KEY");
    expect(issuer.requests).toBe(1);
  });

  it.each([
    [500, "{}"],
    [200, "no keys"],
    [200, '{"keys":7}'],
  ])("is UNAVAILABLE while the issuer responds %i %s", async (status, body) => {
    await using issuer = await Issuer.start("ES256");
    const verifyIt = jwtVerifier({ ...RULES, key: jwtKeys(issuer.url) });
    issuer.answer = { status, body };
    await expect(verifyIt(await issuer.sign("one"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    issuer.answer = null;
    await verifyIt(await issuer.sign("one"));
  });

  it("is UNAVAILABLE while the issuer does not respond", async () => {
    const issuer = await Issuer.start("ES256");
    const token = await issuer.sign("one");
    const verifyIt = jwtVerifier({ ...RULES, key: jwtKeys(issuer.url) });
    await issuer[Symbol.asyncDispose]();
    await expect(verifyIt(token)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

async function importable(jwk: object): Promise<CryptoKey> {
  const { importSPKI } = await import("jose");
  const pem = createPublicKey({ key: jwk as never, format: "jwk" }).export({ type: "spki", format: "pem" });
  return await importSPKI(String(pem), "RS256", { extractable: true });
}

/** Publishes one key, "one", and signs with it or with others. */
class Issuer implements AsyncDisposable {
  readonly published: object[] = [];
  requests = 0;
  answer: { readonly status: number; readonly body: string } | null = null;
  url = new URL("http://127.0.0.1");
  readonly #alg: string;
  readonly #keys = new Map<string, CryptoKey>();
  readonly #server = createServer((_request, response) => {
    this.requests += 1;
    const { status, body } = this.answer ?? { status: 200, body: JSON.stringify({ keys: this.published }) };
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });

  private constructor(alg: string) {
    this.#alg = alg;
  }

  static async start(alg: string): Promise<Issuer> {
    const issuer = new Issuer(alg);
    for (const kid of ["one", "another"]) {
      const { privateKey, publicKey } = await generateKeyPair(alg);
      issuer.#keys.set(kid, privateKey);
      if (kid === "one") issuer.published.push({ ...(await exportJWK(publicKey)), kid, alg });
    }
    await new Promise<void>((resolve) => issuer.#server.listen(0, "127.0.0.1", resolve));
    issuer.url = new URL(`http://127.0.0.1:${(issuer.#server.address() as AddressInfo).port}/keys`);
    return issuer;
  }

  sign(kid: string): Promise<string> {
    const key = this.#keys.get(kid) as CryptoKey;
    return new SignJWT(CLAIMS).setProtectedHeader({ alg: this.#alg, kid }).sign(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}
