import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// A folder here is slow; any other test file is part of the fast suite, so that none can be forgotten.
const slow = ["test/{slow,browser,crash}/**/*.test.ts"];

export default defineConfig({
  test: {
    // Node itself loads the code, as in production. Vite's runner would load graphql twice.
    experimental: { viteModuleRunner: false },
    // Many files spend their time waiting for servers that they start and kill.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: ["{schema,server,sdk,test}/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...slow],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: { name: "slow", include: slow, testTimeout: 120_000, hookTimeout: 120_000 },
      },
    ],
  },
});
