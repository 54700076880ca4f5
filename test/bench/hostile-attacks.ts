// The attacks of the benchmark `hostile`. Each runs in a worker thread until it is terminated. Loops are bounded.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import { frameOf, webSocketHandshake } from "../support/raw-socket.ts";

export interface Target {
  readonly port: number;
  /** A token of a READER of one tenant. */
  readonly token: string;
  /** Path and query of a signed URL for a file of several MiB. */
  readonly signed: string;
}

/** The READER and the client without a token have different addresses. */
const READER = "127.0.0.2";
const ANONYMOUS = "127.0.0.3";
const MAX_ROUNDS = 10_000;
const TENANT = "evil";

type Attack = (target: Target) => Promise<void>;

function socketTo({ port }: Target, localAddress: string): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => {});
  return socket;
}

function head(target: Target, start: string, lines: readonly string[], from = READER): string {
  const token = from === READER ? [`authorization: Bearer ${target.token}`] : [];
  return `${[start, "host: localhost", ...token, ...lines].join("\r\n")}\r\n\r\n`;
}

function post(target: Target, body: string): string {
  const lines = ["content-type: application/json", `content-length: ${Buffer.byteLength(body)}`];
  return `${head(target, "POST /graphql HTTP/1.1", lines)}${body}`;
}

/** Never resolves and keeps the thread alive, because sockets that do not read do not keep it alive. */
function forever(): Promise<never> {
  return new Promise(() => setInterval(() => {}, 60_000));
}

const bodyOf = (query: string, variables: unknown = {}) => JSON.stringify({ query, variables });

function closed(socket: Socket): Promise<unknown> {
  return once(socket, "close").catch(() => {});
}

/** Opens `count` connections that send `text` and never read. Reopens those that the server closes. */
async function stalled(target: Target, from: string, count: number, text: string): Promise<void> {
  let opened = 0;
  const open = (): void => {
    opened += 1;
    if (opened > MAX_ROUNDS) return;
    const socket = socketTo(target, from);
    socket.pause();
    socket.write(text);
    socket.once("close", () => setTimeout(open, 100));
  };
  for (let n = 0; n < count; n += 1) open();
  await forever();
}

/**
 * Sends `text` repeatedly on `count` concurrent connections and reads each response. With `abortMs` it closes each
 * connection after that many ms instead.
 */
async function repeated(target: Target, count: number, text: () => string, abortMs?: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const socket = socketTo(target, READER);
        socket.write(text());
        const answered = once(socket, "data").catch(() => {});
        if (abortMs === undefined) await Promise.race([answered, closed(socket), pause(5_000)]);
        else await pause(abortMs);
        socket.destroy();
      }
    }),
  );
}

/**
 * Opens a WebSocket with raw frames and waits for connection_ack. Tries again while the server accepts no more
 * connections of the address.
 */
async function webSocket(target: Target): Promise<Socket> {
  for (;;) {
    const socket = socketTo(target, READER);
    try {
      socket.write(webSocketHandshake({ authorization: `Bearer ${target.token}` }));
      await once(socket, "data");
      socket.write(frameOf({ payload: '{"type":"connection_init"}' }));
      await once(socket, "data");
      return socket;
    } catch {
      await pause(20);
    }
  }
}

const subscribe = (id: string, query: string) =>
  frameOf({ payload: JSON.stringify({ id, type: "subscribe", payload: { query } }) });
const complete = (id: string) => frameOf({ payload: JSON.stringify({ id, type: "complete" }) });

const aliased = (count: number, field: string) =>
  `{ ${Array.from({ length: count }, (_, n) => `a${n}: ${field}`).join(" ")} }`;
const workflow = (inner: string) => `workflow(tenantId: "${TENANT}", workflowId: "large") { ${inner} }`;
const metadataPages = (count: number) =>
  aliased(count, workflow("artifacts(first: 500) { nodes { metadata } }"));
const filteredCounts = aliased(
  20,
  `artifacts(first: 1, where: { tenantId: "${TENANT}", metadata: { no: "such value" } }) { totalCount nodes { id } }`,
);

export const ATTACKS: Readonly<Record<string, Attack>> = {
  "variables full of wrong entries": (target) => {
    const query = "query ($keys: [ArtifactKeyInput!]!) { artifactsByKey(keys: $keys) { id } }";
    const keys = Array.from({ length: 12_000 }, () => ({ wrong: 1, fields: "in every entry" }));
    const text = post(target, bodyOf(query, { keys }));
    return repeated(target, 4, () => text);
  },
  "operations completed in the burst that began them": async (target) => {
    const burst = Buffer.concat(
      Array.from({ length: 100 }, () => [
        subscribe("1", "subscription { lifecycleEvents { id } }"),
        complete("1"),
        subscribe("2", "{ nothing }"),
        complete("2"),
      ]).flat(),
    );
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const socket = await webSocket(target);
      socket.end(burst);
      await Promise.race([closed(socket), pause(500)]);
      socket.destroy();
    }
  },
  "pages of large metadata": (target) => {
    let n = 0;
    return repeated(target, 10, () => post(target, bodyOf(metadataPages([1, 3, 14][n++ % 3] as number))));
  },
  "40 sockets that read no answer": (target) =>
    stalled(target, READER, 40, post(target, bodyOf(metadataPages(1)))),
  "the page without a token, and no reading": (target) =>
    stalled(
      target,
      ANONYMOUS,
      1_000,
      head(target, "GET /graphql HTTP/1.1", ["accept: text/html", "accept-encoding: br"], ANONYMOUS),
    ),
  "the page without a token or encoding": (target) =>
    stalled(
      target,
      ANONYMOUS,
      1_000,
      head(target, "GET /graphql HTTP/1.1", ["accept: text/html"], ANONYMOUS),
    ),
  "filtered counts, aborted": (target) => {
    const text = post(target, bodyOf(filteredCounts));
    return repeated(target, 10, () => text, 50);
  },
  "150 subscriptions on a silent socket": async (target) => {
    const socket = await webSocket(target);
    for (let n = 0; n < 150; n += 1) {
      socket.write(subscribe(`${n}`, "subscription { lifecycleEvents { artifact { text metadata } } }"));
    }
    socket.pause();
    await forever();
  },
  "bodies announced, and one byte sent": (target) =>
    stalled(
      target,
      READER,
      100,
      `${head(target, "POST /graphql HTTP/1.1", ["content-type: application/json", "content-length: 7000000"])}{`,
    ),
  "stalled downloads of one signed URL": (target) =>
    stalled(target, ANONYMOUS, 300, head(target, `GET ${target.signed} HTTP/1.1`, [], ANONYMOUS)),
  "silent connections": (target) => stalled(target, ANONYMOUS, 5_000, ""),
  "headers without end": (target) =>
    stalled(
      target,
      ANONYMOUS,
      5_000,
      `GET / HTTP/1.1\r\nhost: localhost\r\n${`x: ${"y".repeat(8_000)}\r\n`.repeat(14)}`,
    ),
  "20,000 operations on one WebSocket": async (target) => {
    for (let round = 0; round < 100; round += 1) {
      const socket = await webSocket(target);
      socket.resume();
      const all = Array.from({ length: 20_000 }, (_, n) => subscribe(`${n}`, "{ viewer { actor } }"));
      socket.write(Buffer.concat(all));
      await Promise.race([closed(socket), pause(20_000)]);
      socket.destroy();
    }
  },
};

if (workerData?.attacks !== undefined) {
  // Only this thread: attackers use processors of their own, so they must not take time from the server's.
  setPriority(19);
  const { attacks, target } = workerData as { readonly attacks: readonly string[]; readonly target: Target };
  await Promise.all(attacks.map((name) => (ATTACKS[name] as Attack)(target)));
}
