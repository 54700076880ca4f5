import { describe, expect, it } from "vitest";
import { startServer } from "../support/server.ts";

describe("SIGHUP, which a terminal sends when it closes", { timeout: 60_000 }, () => {
  it("stops the server with exit code 0", async () => {
    await using server = await startServer();
    expect(await server.kill("SIGHUP")).toEqual({ code: 0, signal: null });
    expect(server.stderr).toContain("stopped");
  });
});
