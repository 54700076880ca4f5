import { Agent, request } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 16 });
// Idle connections do not keep this process alive.
agent.on("free", (socket) => socket.unref());

export interface Sent {
  readonly token?: string | undefined;
  /** Default: a GET without a body. */
  readonly query?: string;
  readonly path?: string;
}

/** Returns a query for one artifact's row, about the smallest catalog query. */
export const pointQuery = (name: string) =>
  `query ${name} { artifact(tenantId: "bench", workflowId: "w", artifactId: "a") { id sizeBytes checksum tier } }`;

/** Sends a request on a connection that stays open and reads the response. @throws if the response is unexpected */
export function send(
  to: { readonly url: string },
  { token, query, path = "/graphql" }: Sent,
  expected: RegExp,
): Promise<void> {
  const body = query === undefined ? undefined : JSON.stringify({ query });
  const { hostname, port } = new URL(to.url);
  return new Promise((resolve, reject) => {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    };
    const method = body === undefined ? "GET" : "POST";
    const sent = request({ agent, hostname, port, path, method, headers }, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      if (expected.test(text)) resolve();
      else reject(new Error(`${response.statusCode} ${text.slice(0, 300)}, and not ${expected.source}`));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
