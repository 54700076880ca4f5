import process from "node:process";
import { ConnectionError, createTierkeep, endpointOf, type Tierkeep } from "@tierkeep/sdk";
import { type Command, InvalidArgumentError } from "commander";
import type { Connection } from "../app/connect.ts";
import type { Opening } from "../app/settings/store-opening.ts";
import { StartProblem } from "../app/start-problem.ts";
import type { Config } from "../config/config.ts";
import { connectionProblem } from "./connection-problem.ts";
import { interruption } from "./interruption.ts";
import { type Output, outputTo } from "./output/output.ts";

/** Options of every command that uses the API as a client. */
export interface ClientOptions {
  readonly url?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The work of a client command. Returns the exit code. When `signal` aborts, it may reject with an AbortError. */
export type ClientWork = (
  tierkeep: Tierkeep,
  output: Output,
  signal: AbortSignal,
  post: Post,
) => Promise<number>;

/** Posts JSON to the GraphQL endpoint with the client's credentials, for requests that the SDK has no method for. */
export type Post = (body: unknown, accept: string) => Promise<Response>;

export function clientOptions(command: Command): Command {
  return command
    .option(
      "--url <url>",
      "GraphQL endpoint of a server; TIERKEEP_TOKEN, if set, is sent to it (default: TIERKEEP_URL, else the store that the environment names)",
      urlOf,
    )
    .option("--json", "write JSON to stdout");
}

/**
 * Runs a client's work against the server at --url, the process that owns the store, or the store itself.
 *
 * @param kind a command that only reads stops, with exit code 0, once the reader of its stdout has closed the pipe; a
 * command that changes something continues
 * @param opening what the command may do to a store by opening it
 * @returns the work's exit code, or 130 or 143 if a signal interrupted it
 */
export async function runAsClient(
  { url, json }: ClientOptions,
  work: ClientWork,
  kind: "changes" | "reads" = "changes",
  opening: Opening = "use",
): Promise<number> {
  const output = processOutput(json);
  using interrupted = interruption(kind === "reads" ? output.closed : null);
  const { signal } = interrupted;
  try {
    const server = serverOf(url, process.env);
    const [connection, config] = await connectionTo(server, opening, signal);
    const { url: endpoint, fetch } = connection;
    try {
      const token = server?.token;
      const post: Post = (body, accept) =>
        fetch(endpoint, {
          method: "POST",
          headers: {
            accept,
            "content-type": "application/json",
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
          body: JSON.stringify(body),
          signal,
        }).catch((cause: unknown) => {
          signal.throwIfAborted();
          throw new ConnectionError("The connection to the server failed.", { cause });
        });
      const tierkeep = createTierkeep({ url: endpoint, fetch, token, signal });
      if (config !== null && opening !== "rebuild") await warnOfLostCatalog(config, tierkeep, output);
      return await work(tierkeep, output, signal, post);
    } catch (error) {
      // A StartProblem explains why no new owner of the store was found. The connection error itself says less.
      const { cause } = error as Error;
      throw cause instanceof StartProblem ? cause : connectionProblem(error, endpoint);
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (interrupted.exitCode !== null && (error as Error | null)?.name === "AbortError") {
      return interrupted.exitCode;
    }
    throw error;
  }
}

/** A client of a server does not load the modules that open a store: they take longer to load than all others together. */
async function connectionTo(
  server: ServerAddress | null,
  opening: Opening,
  signal: AbortSignal,
): Promise<readonly [Connection, Config | null]> {
  if (server !== null) {
    const { url } = server;
    return [{ url, fetch: (to, init) => fetch(to, init), store: null, close: async () => {} }, null];
  }
  const [{ connect }, { readConfig }] = await Promise.all([
    import("../app/connect.ts"),
    import("../app/read-config.ts"),
  ]);
  const config = readConfig();
  return [await connect(config, { opening, signal }), config];
}

async function warnOfLostCatalog(config: Config, tierkeep: Tierkeep, output: Output): Promise<void> {
  const { lostCatalogNotice } = await import("./lost-catalog.ts");
  const notice = await lostCatalogNotice(config, tierkeep);
  if (notice !== null) output.note(notice);
}

export function processOutput(json?: boolean | undefined): Output {
  return outputTo({ json, stdout: process.stdout, stderr: process.stderr, env: process.env });
}

interface ServerAddress {
  readonly url: string;
  readonly token: string | undefined;
}

/** Returns the server that --url or TIERKEEP_URL names; null: none is named. @throws StartProblem without any secret in it */
function serverOf(given: string | undefined, env: NodeJS.ProcessEnv): ServerAddress | null {
  const url = given ?? (env.TIERKEEP_URL || undefined);
  if (url === undefined) return null;
  const name = given === undefined ? "TIERKEEP_URL" : "--url";
  const parsed = httpUrlOf(url);
  if (parsed === null) throw new StartProblem(`${name} is not the http or https URL of a server's /graphql.`);
  if (parsed.username !== "" || parsed.password !== "") {
    throw new StartProblem(`${name} contains credentials. Give a token in TIERKEEP_TOKEN.`);
  }
  const token = env.TIERKEEP_TOKEN || undefined;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new StartProblem("TIERKEEP_TOKEN contains spaces or other characters that no token has.");
  }
  return { url: endpointOf(url), token };
}

function urlOf(text: string): string {
  if (httpUrlOf(text) === null)
    throw new InvalidArgumentError("Give the http or https URL of a server's /graphql.");
  return text;
}

function httpUrlOf(text: string): URL | null {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}
