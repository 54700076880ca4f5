import { readdirSync } from "node:fs";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { removeDirectory, runCommand, temporaryDirectory } from "../support/server.ts";

/** Set CRASH_CYCLES=1000 for a longer run. */
const CYCLES = Number(process.env.CRASH_CYCLES ?? 50);

describe("a server under load that is killed with SIGKILL", () => {
  it(`keeps every acknowledged change in ${CYCLES} cycles`, async () => {
    const cwd = await temporaryDirectory();
    const args = ["prove", "--only", "crash", "--cycles", String(CYCLES), "--json"];
    const { code, stdout, stderr } = await runCommand(args, { cwd });
    console.info(stderr, stdout);
    expect(code).toBe(0);
    const { tried, broken, figures } = JSON.parse(stdout);
    expect([tried, broken]).toEqual([CYCLES, []]);
    expect(figures["changes acknowledged"]).toBeGreaterThan(CYCLES * 8);
    expect(figures["changes without an answer"]).toBeGreaterThan(CYCLES);
    expect(readdirSync(cwd)).toEqual([]);
    await removeDirectory(cwd);
  }, 900_000);
});
