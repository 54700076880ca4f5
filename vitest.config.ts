import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// What is here is slow, or thorough; any other test file is part of the fast suite, so that none can be forgotten.
/** Each alone: what they measure would be each other's load. */
const slow = ["test/{slow,browser,crash}/**/*.test.ts", "server/**/*.slow.test.ts"];
/** Whatever takes the machine more than some seconds. */
const thorough = ["{schema,server,sdk,test}/**/*.thorough.test.ts"];

export default defineConfig({
  test: {
    // Node itself loads the code, as in production. Vite's runner would load graphql twice.
    experimental: { viteModuleRunner: false },
    // Many files spend their time waiting for servers that they start and kill.
    maxWorkers: availableParallelism() + 1,
    // Far more than anything takes: on a machine with other work a second is nothing.
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
