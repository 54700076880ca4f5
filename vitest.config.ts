import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// A test file belongs to the fast suite unless one of these two lists matches it.
/** Run one file at a time: they measure time, memory or processes, and would disturb each other. */
const slow = ["test/{slow,browser,crash}/**/*.test.ts", "server/**/*.slow.test.ts"];
/** Tests that need seconds of processor time, or start several servers. */
const thorough = ["{schema,server,sdk,test}/**/*.thorough.test.ts"];

export default defineConfig({
  test: {
    // Node loads the code, as in production. Vite's module runner would load graphql twice.
    experimental: { viteModuleRunner: false },
    // Many test files wait for servers that they start and kill.
    maxWorkers: availableParallelism() + 1,
    // Generous, because a busy machine can delay any poll by seconds.
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: ["{schema,server,sdk,test}/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...slow, ...thorough],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "thorough",
          include: thorough,
          exclude: ["**/node_modules/**"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: { name: "slow", include: slow, testTimeout: 300_000, hookTimeout: 300_000 },
      },
    ],
  },
});
