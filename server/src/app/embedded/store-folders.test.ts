import { describe, expect, it } from "vitest";
import { isKeyExposed } from "./store-folders.ts";

describe("isKeyExposed", () => {
  it.each([
    ["of its user alone", 0o600, 1000, 1000, false],
    ["that its user may only read", 0o400, 1000, 1000, false],
    ["that the group may read", 0o640, 1000, 1000, true],
    ["that all may read", 0o604, 1000, 1000, true],
    ["that the group may write", 0o620, 1000, 1000, true],
    ["of root's that the group may read, to another user", 0o640, 0, 1000, false],
    ["of root's that the group may write, to another user", 0o660, 0, 1000, true],
    ["of root's that all may read, to another user", 0o644, 0, 1000, true],
    ["of root's that the group may read, to root", 0o640, 0, 0, true],
  ])("judges a key %s", (_, mode, uid, user, exposed) => {
    // The file's type stands in the same number.
    expect(isKeyExposed({ mode: 0o100000 | mode, uid }, user)).toBe(exposed);
  });
});
