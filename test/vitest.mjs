// Runs Vitest, and keeps its colours off where stdout is no terminal: Vitest writes them into files and pipes as well.
// FORCE_COLOR asks for colours anywhere; NO_COLOR turns them off anywhere.
import process from "node:process";

const { NO_COLOR, FORCE_COLOR } = process.env;
// An empty NO_COLOR means nothing (https://no-color.org), which Vitest does not know.
if (NO_COLOR === "") delete process.env.NO_COLOR;
if (!process.stdout.isTTY && !FORCE_COLOR) process.env.NO_COLOR = "1";

await import(new URL("./vitest.mjs", import.meta.resolve("vitest/package.json")).href);
