import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { DEFAULT_LIMITS } from "@tierkeep/schema/domain/limits";
import { describe, expect, it } from "vitest";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import { lasting, unauthenticated } from "../auth/credentials.ts";

const limits = (more: object) => ({ connections: { ...DEFAULT_LIMITS.connections, ...more } });

function open(port: number, localAddress: string): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => {});
  return socket;
}

describe("connections of one address", () => {
  it("are closed immediately beyond their share; those of another address are not", async () => {
    await using world = await handlerUnderTest({ limits: limits({ maxConnectionsPerAddress: 3 }) });
    const { port } = await world.listen();
    const mine = [1, 2, 3].map(() => open(port, "127.0.0.2"));
    await Promise.all(mine.map((socket) => once(socket, "connect")));
    await once(open(port, "127.0.0.2"), "close");
    const other = open(port, "127.0.0.3");
    other.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    expect(String((await once(other, "data"))[0])).toMatch(/^HTTP\/1\.1 200/);
    // A connection may be opened again when one has closed.
    mine[0]?.destroy();
    await expect
      .poll(async () => {
        const again = open(port, "127.0.0.2");
        again.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
        const [said] = await Promise.race([once(again, "data"), once(again, "close")]);
        again.destroy();
        return String(said).slice(0, 12);
      })
      .toBe("HTTP/1.1 200");
    for (const socket of [...mine, other]) socket.destroy();
  });

  it("are unlimited for a trusted proxy", async () => {
    await using world = await handlerUnderTest({
      limits: limits({ maxConnectionsPerAddress: 1, trustedProxies: ["127.0.0.2"] }),
    });
    const { port } = await world.listen();
    const sockets = [1, 2, 3].map(() => open(port, "127.0.0.2"));
    for (const socket of sockets) {
      socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
      expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1\.1 200/);
      socket.destroy();
    }
  });
});

describe("behind a trusted proxy", () => {
  it("an attacker is refused by its own address, and other clients are not", async () => {
    await using world: HandlerUnderTest = await handlerUnderTest({
      limits: {
        ...limits({ trustedProxies: ["127.0.0.1"] }),
        usage: { ...DEFAULT_LIMITS.usage, failedAttemptsPerMinute: 1 },
      },
      authenticate: (authorization, attempt) =>
        attempt(async () => {
          if (authorization !== "good") throw unauthenticated("wrong");
          return lasting({ actor: "a", role: "READER", tenants: [] });
        }),
    });
    const { url } = await world.listen();
    const status = async (authorization: string, client: string) =>
      (
        await fetch(url, {
          method: "POST",
          headers: {
            authorization,
            "x-forwarded-for": `1.1.1.1, ${client}`,
            "content-type": "application/json",
          },
          body: '{"query":"{ viewer { actor } }"}',
        })
      ).status;
    expect(await status("bad", "203.0.113.1")).toBe(401);
    expect(await status("worse", "203.0.113.1")).toBe(429);
    expect(await status("bad", "203.0.113.2")).toBe(401);
    expect(JSON.stringify(world.logged)).toContain("failed attempts from 203.0.113.1");
  });
});
