import { describe, expect, it, vi } from "vitest";
import { type Credentials, unauthenticated } from "./credentials.ts";
import { throttled } from "./verified-tokens.ts";

const credentialsOf = (actor: string, expiresAt: number | null = null): Credentials => ({
  principal: { actor, role: "READER", tenants: [] },
  expiresAt,
  revoked: null,
});

describe("a verified token", () => {
  it("is accepted without another check for ten seconds, then verified again", async () => {
    let now = 1_000;
    const verify = vi.fn(async (token: string) => credentialsOf(token));
    const verified = throttled(verify, () => now);
    const once = await verified("ada");
    now += 9_999;
    expect(await verified("ada")).toBe(once);
    expect((await verified("bob")).principal.actor).toBe("bob");
    expect(verify).toHaveBeenCalledTimes(2);
    now += 1;
    verify.mockRejectedValueOnce(unauthenticated("its key has been withdrawn"));
    await expect(verified("ada")).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("is verified again once it expires", async () => {
    let now = 1_000;
    const verify = vi.fn(async (token: string) => credentialsOf(token, 1_500));
    const verified = throttled(verify, () => now);
    await verified("ada");
    now = 1_499;
    await verified("ada");
    expect(verify).toHaveBeenCalledTimes(1);
    now = 1_500;
    await verified("ada");
    expect(verify).toHaveBeenCalledTimes(2);
  });

  it("is remembered among ten thousand", async () => {
    const verify = vi.fn(async (token: string) => credentialsOf(token));
    const verified = throttled(verify, () => 0);
    for (let n = 0; n <= 10_000; n += 1) await verified(`token ${n}`);
    verify.mockClear();
    await verified("token 10000");
    expect(verify).not.toHaveBeenCalled();
    await verified("token 0");
    expect(verify).toHaveBeenCalledTimes(1);
  });
});

it("a refused token is verified each time", async () => {
  const verify = vi.fn(async (): Promise<Credentials> => {
    throw unauthenticated("wrong");
  });
  const verified = throttled(verify, () => 0);
  for (let n = 0; n < 3; n += 1) await expect(verified("x")).rejects.toThrow();
  expect(verify).toHaveBeenCalledTimes(3);
});
