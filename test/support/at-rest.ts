import { expect, vi } from "vitest";
import { sendRaw } from "./raw-http.ts";

/**
 * Waits until all bytes are in objects and every key is where the tree is to show it. Seeing that a file is there is not
 * enough: what put it there may still have something to do.
 */
export async function untilPublished(server: { readonly origin: string }): Promise<void> {
  // Not expect.poll: that is for tests, and this is for their hooks too.
  await vi.waitFor(
    async () => {
      const metrics = (await sendRaw(server, { path: "/metrics" })).body.toString();
      expect(metrics).toMatch(/^tierkeep_unsettled_artifacts 0$/m);
      expect(metrics).toMatch(/^tierkeep_unpublished_keys 0$/m);
    },
    { timeout: 30_000 },
  );
}

/** Waits until the server has nothing under way: no request, no WebSocket, no operation on one. */
export async function untilIdle(server: { readonly origin: string }): Promise<void> {
  await vi.waitFor(
    async () => {
      const metrics = (await sendRaw(server, { path: "/metrics" })).body.toString();
      expect(metrics).toMatch(/^tierkeep_requests_under_way 0$/m);
    },
    { timeout: 30_000 },
  );
}
