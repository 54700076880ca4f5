import {
  ArtifactNotFoundError,
  createTierkeep,
  type EventTransport,
  ForbiddenError,
  NotFoundError,
  type Tierkeep,
} from "@tierkeep/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { runCommand, type Server, startServer } from "../support/server.ts";
import { TOKEN_SECRET, tokenOf } from "../support/token.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer({ env: { AUTH_JWT_SECRET: TOKEN_SECRET } });
}, 300_000);
afterAll(() => server?.[Symbol.asyncDispose]());

const tokenFor = (tenant: string, role = "OPERATOR") => tokenOf({ actor: "ann", role, tenants: [tenant] });
const clientOf = (token: string): Tierkeep =>
  createTierkeep({ url: server.url, token, webSocket: WebSocket });
const keyIn = (tenantId: string) => ({ tenantId, workflowId: "w", artifactId: "a" });

describe("two tenants on one server, with tokens of the same actor", () => {
  it("each reads and changes only its own data", { timeout: 60_000 }, async () => {
    const [acme, beta] = [clientOf(tokenFor("acme")), clientOf(tokenFor("beta"))];
    await acme.upload(keyIn("acme"), "of acme");
    await beta.upload(keyIn("beta"), "of beta");
    const { job } = await beta.runLifecycle({ tenantId: "beta", dryRun: true });

    expect(await acme.viewer()).toMatchObject({ actor: "ann", role: "OPERATOR", tenants: ["acme"] });
    expect((await acme.tenants()).nodes.map(({ tenantId }) => tenantId)).toEqual(["acme"]);
    expect((await acme.artifacts()).nodes.map(({ tenantId }) => tenantId)).toEqual(["acme"]);
    expect(await acme.artifact(keyIn("beta"))).toBeNull();
    expect(await acme.lifecycleJob({ id: job.id })).toBeNull();
    await expect(acme.download(keyIn("beta"))).rejects.toThrow(ArtifactNotFoundError);
    await expect(acme.upload(keyIn("beta"), "mine")).rejects.toThrow(ForbiddenError);
    await expect(acme.purgeArtifact(keyIn("beta"))).rejects.toThrow(ForbiddenError);
    await expect(acme.runLifecycle({ dryRun: true })).rejects.toThrow(ForbiddenError);
    await expect(acme.cancelJob({ id: job.id })).rejects.toThrow(NotFoundError);
    expect(await (await beta.download(keyIn("beta"))).text()).toBe("of beta");
  });

  it.each<EventTransport>(["sse", "ws"])(
    "each receives only its own events over %s",
    { timeout: 60_000 },
    async (transport) => {
      const [gamma, delta] = [clientOf(tokenFor("gamma")), clientOf(tokenFor("delta"))];
      const after = await gamma.lifecycleEventCursor();
      await delta.upload(keyIn("delta"), `unheard over ${transport}`);
      expect(await gamma.lifecycleEventCursor()).toBe(after);
      await gamma.upload(keyIn("gamma"), `heard over ${transport}`);
      const events = gamma.lifecycleEvents({ transport, after });
      expect((await events.next()).value).toMatchObject({ type: "ARTIFACT_WRITTEN", tenantId: "gamma" });
      await events.return?.();
    },
  );

  it("a command without the required role says so and exits with 5", { timeout: 60_000 }, async () => {
    const env = { TIERKEEP_URL: server.url, TIERKEEP_TOKEN: tokenFor("acme", "READER") };
    const purged = await runCommand(["purge", "acme/w/a", "--yes"], { env });
    expect(purged).toMatchObject({ code: 5, stdout: "" });
    expect(purged.stderr).toContain("this requires the role OPERATOR, and yours is READER");
    const listed = await runCommand(["ls", "beta", "--json"], { env });
    const unknown = await runCommand(["ls", "nobody", "--json"], { env });
    expect([listed.code, listed.stdout]).toEqual([unknown.code, unknown.stdout]);
  });
});
