import { ConnectionError, TimeoutError } from "@tierkeep/sdk";

/** No usable answer came from the server that a command uses. The message is for the user of the command. */
export class ConnectionProblem extends Error {
  override readonly name = "ConnectionProblem";
}

/** Codes of connections that were never made. */
const UNREACHABLE =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$|CERT|SIGNED|SSL|TLS/;

/** Returns a failed connection as a message with the server's address and what to do; every other error as it is. */
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

/** "ECONNREFUSED" and the like, which Node's fetch gives as the code of a cause. */
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
