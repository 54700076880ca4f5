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

/** What owner.json says, for this user alone: who owns the store, and how to become its client. */
export interface Owner {
  /** Its GraphQL endpoint. */
  readonly url: string;
  /** New at each start. */
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
  readonly droppedLogLines?: (() => number) | undefined;
}

/** A store that this process owns and serves. */
export interface OwnedStore {
  readonly store: Store;
  readonly url: string;
  /** Completes what is under way until `deadline` (ms since the epoch), then lets go of the store. */
  close(deadline?: number): Promise<void>;
}

const CHALLENGE_MS = 3000;
const CLOSE_MS = 30_000;

/** Opens the store, listens, and says so in owner.json. @throws StoreOwnedError, StartProblem */
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

/** Where a command on this machine reaches it: an address that stands for all of them is none to connect to. */
function reachable(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

function listenProblem(error: unknown, host: string, port: number): StartProblem {
  const code = systemCodeOf(error);
  const where = `${host}:${port}`;
  if (code === "EADDRINUSE") {
    return new StartProblem(
      `Something listens at ${where} already. Stop it, or set PORT to another port or to 0 for any free one.`,
    );
  }
  return new StartProblem(
    `It is not possible to listen at ${where} (${code}). Set HOST and PORT to where this user may listen.`,
  );
}

/** Who owns the store, as owner.json says; null: nobody says so. It may be dead. */
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
 * The live owner of the store: one that knows the token of owner.json. Another program may listen at that port by now,
 * and must not be told the token. Null: there is none, or it does not answer.
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

/** Who has the store, for whoever cannot have it. */
export async function ownedProblem(config: Config): Promise<StartProblem> {
  const owner = await readOwner(config);
  const { root } = storePaths(config);
  return new StartProblem(
    owner === null
      ? `The store ${root} belongs to another process, which has not said who it is. Stop it, or name another folder in STORAGE_BASE_PATH.`
      : `The store ${root} belongs to the server at ${owner.url} (process ${owner.pid}). Use that one, stop it, or name another folder in STORAGE_BASE_PATH.`,
  );
}
