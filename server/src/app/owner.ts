import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import process from "node:process";
import type { Logger } from "pino";
import packageJson from "../../package.json" with { type: "json" };
import type { Config } from "../config/config.ts";
import type { Clock } from "../engine/clock.ts";
import { replaceFile } from "../files/replace-file.ts";
import { OWNER_PATH, ownerProof } from "../http/auth/owner-challenge.ts";
import { listen } from "../http/node/listen.ts";
import { openStore } from "./embedded/open-store.ts";
import type { Store } from "./embedded/store.ts";
import { storePaths, systemCodeOf } from "./embedded/store-files.ts";
import type { Opening } from "./settings/store-opening.ts";
import { StartProblem } from "./start-problem.ts";

/** The content of owner.json, which only this user can read: the store's owner, and how to connect to it. */
export interface Owner {
  /** The owner's GraphQL endpoint. */
  readonly url: string;
  /** Id of the server process, new at each start. */
  readonly instance: string;
  readonly version: string;
  readonly token: string;
  readonly pid: number;
}

export interface OwnOptions {
  readonly opening: Opening;
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
  readonly schedule?: boolean | undefined;
  readonly migrationCopy?: boolean | undefined;
  readonly droppedLogLines?: (() => number) | undefined;
}

/** A store that this process owns and serves. */
export interface OwnedStore {
  readonly store: Store;
  readonly url: string;
  /** Completes requests in progress until `deadline` (ms since the epoch), then releases the store. */
  close(deadline?: number): Promise<void>;
}

const CHALLENGE_MS = 3000;
const CLOSE_MS = 30_000;

/** Opens the store, listens, and writes owner.json. @throws StoreOwnedError, StartProblem */
export async function own(config: Config, options: OwnOptions): Promise<OwnedStore> {
  const { host, port, log } = options;
  const store = await openStore(config, options);
  try {
    const listener = await listen(store.handler, {
      host,
      port,
      log,
      maxInlineBytes: config.maxInlineBytes,
      limits: config.limits.connections,
    }).catch((error: unknown) => {
      throw listenProblem(error, host, port);
    });
    const owner: Owner = {
      url: reachable(listener.url),
      ...store.identity,
      version: packageJson.version,
      pid: process.pid,
    };
    await replaceFile(store.paths.owner, `${JSON.stringify(owner, null, 2)}\n`);
    let closed: Promise<void> | null = null;
    const close = async (deadline: number) => {
      listener.stop();
      await rm(store.paths.owner, { force: true });
      await store.pauseWork();
      await listener.close(deadline);
      await store.close(deadline);
    };
    return {
      store,
      url: listener.url,
      close(deadline = Date.now() + CLOSE_MS) {
        closed ??= close(deadline);
        return closed;
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Returns the URL for commands on this machine. The unspecified address becomes the loopback address. */
function reachable(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

function listenProblem(error: unknown, host: string, port: number): StartProblem {
  const code = systemCodeOf(error);
  const where = `${host}:${port}`;
  if (code === "EADDRINUSE") {
    return new StartProblem(
      `Another program already listens at ${where}. Stop it, or set PORT to another port or to 0 for any free port.`,
    );
  }
  return new StartProblem(
    `Cannot listen at ${where} (${code}). Set HOST and PORT to an address at which this user may listen.`,
  );
}

/** Returns the owner that owner.json names; its process may have ended. Null: there is no valid owner.json. */
export async function readOwner(config: Config): Promise<Owner | null> {
  try {
    const owner: Partial<Owner> = JSON.parse(await readFile(storePaths(config).owner, "utf8"));
    const texts = [owner.url, owner.instance, owner.version, owner.token];
    return texts.every((text) => typeof text === "string") && typeof owner.pid === "number"
      ? (owner as Owner)
      : null;
  } catch {
    return null;
  }
}

/**
 * Returns the store's owner if it responds and proves that it knows the token in owner.json; otherwise null. Another
 * program may listen on that port now, and must not receive the token.
 */
export async function findOwner(config: Config): Promise<Owner | null> {
  const owner = await readOwner(config);
  if (owner === null) return null;
  const nonce = randomBytes(24).toString("base64url");
  try {
    const url = new URL(`${OWNER_PATH}?nonce=${nonce}`, owner.url);
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(CHALLENGE_MS) });
    const { proof } = (await response.json()) as { readonly proof?: unknown };
    return typeof proof === "string" && isEqual(proof, ownerProof(owner, nonce)) ? owner : null;
  } catch {
    return null;
  }
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Returns the error for a store that another process owns. Its message names the owner. */
export async function ownedProblem(config: Config): Promise<StartProblem> {
  const owner = await readOwner(config);
  const { root } = storePaths(config);
  return new StartProblem(
    owner === null
      ? `The store ${root} belongs to another process, which cannot be identified. Stop it, or name another folder in STORAGE_BASE_PATH.`
      : `The store ${root} belongs to the server at ${owner.url} (process ${owner.pid}). Use that server, stop it, or name another folder in STORAGE_BASE_PATH.`,
  );
}
