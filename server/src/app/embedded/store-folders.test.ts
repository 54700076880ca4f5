import { describe, expect, it } from "vitest";
import { isKeyExposed } from "./store-folders.ts";

describe("isKeyExposed", () => {
  it.each([
    ["only its user can read and write", 0o600, 1000, 1000, false],
    ["only its user can read", 0o400, 1000, 1000, false],
    ["the group can read", 0o640, 1000, 1000, true],
    ["everyone can read", 0o604, 1000, 1000, true],
    ["the group can write", 0o620, 1000, 1000, true],
    ["root owns and the group can read, as another user", 0o640, 0, 1000, false],
    ["root owns and the group can write, as another user", 0o660, 0, 1000, true],
    ["root owns and everyone can read, as another user", 0o644, 0, 1000, true],
    ["root owns and the group can read, as root", 0o640, 0, 0, true],
  ])("checks a key that %s", (_, mode, uid, user, exposed) => {
    // The mode also contains the file's type.
    expect(isKeyExposed({ mode: 0o100000 | mode, uid }, user)).toBe(exposed);
  });
});
