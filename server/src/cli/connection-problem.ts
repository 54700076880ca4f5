import { ConnectionError, TimeoutError } from "@tierkeep/sdk";

/** The server that a command uses did not send a usable response. The message is for the user of the command. */
export class ConnectionProblem extends Error {
  override readonly name = "ConnectionProblem";
}

/** Error codes of connections that were never established. */
const UNREACHABLE =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$|CERT|SIGNED|SSL|TLS/;

/** Turns a connection error into one that names the server and what to do. Returns any other error unchanged. */
export function connectionProblem(error: unknown, endpoint: string): unknown {
  if (error instanceof TimeoutError) {
    return new ConnectionProblem(`${endpoint}: ${error.message} Try again later.`, { cause: error });
  }
  if (!(error instanceof ConnectionError)) return error;
  if (error.status !== undefined)
    return new ConnectionProblem(`${endpoint}: ${error.message}`, { cause: error });
  const code = codeOf(error);
  const { message } = error;
  return new ConnectionProblem(
    code === undefined || !UNREACHABLE.test(code)
      ? `${endpoint}: ${message} Try again.`
      : `${endpoint} cannot be reached (${code}). ${adviceFor(code)}`,
    { cause: error },
  );
}

/** Returns the system's error code, such as "ECONNREFUSED". Node's fetch gives it as the code of a cause. */
function codeOf(error: Error): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string" && /^E[A-Z]|_/.test(cause.code)) return cause.code;
  }
  return undefined;
}

function adviceFor(code: string): string {
  if (/^(?:ENOTFOUND|EAI_AGAIN)$/.test(code)) return "Check the host name in --url or TIERKEEP_URL.";
  if (/CERT|SIGNED|SSL|TLS/.test(code)) {
    return "Its certificate is not trusted: name the issuer's certificate in NODE_EXTRA_CA_CERTS.";
  }
  return "Start the server with `tierkeep serve`, or check --url and TIERKEEP_URL.";
}
