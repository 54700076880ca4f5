import { expect, vi } from "vitest";
import { sendRaw } from "./raw-http.ts";

/**
 * Waits until all content is settled in objects and every key is published. The existence of a file is not
 * enough, because its publisher may still have work to do.
 */
export async function untilPublished(server: { readonly origin: string }): Promise<void> {
  // Not expect.poll, because hooks call this function too.
  await vi.waitFor(
    async () => {
      const metrics = (await sendRaw(server, { path: "/metrics" })).body.toString();
      expect(metrics).toMatch(/^tierkeep_unsettled_artifacts 0$/m);
      expect(metrics).toMatch(/^tierkeep_unpublished_keys 0$/m);
    },
    { timeout: 30_000 },
  );
}

/** Waits until the server is idle: no requests, no WebSockets and no operations on them. */
export async function untilIdle(server: { readonly origin: string }): Promise<void> {
  await vi.waitFor(
    async () => {
      const metrics = (await sendRaw(server, { path: "/metrics" })).body.toString();
      expect(metrics).toMatch(/^tierkeep_requests_under_way 0$/m);
    },
    { timeout: 30_000 },
  );
}
