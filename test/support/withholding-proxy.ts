import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface WithholdingProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/graphql`. */
  readonly url: string;
  /** Resolves with the body of the server's first response to a change. The client does not receive it. */
  readonly withheld: Promise<string>;
  /** Closes all connections and accepts no new ones. */
  hangUp(): void;
}

/** Starts an HTTP proxy on loopback that forwards everything except the responses to changes. */
export async function startWithholdingProxy({
  origin,
}: {
  readonly origin: string;
}): Promise<WithholdingProxy> {
  const withheld = Promise.withResolvers<string>();
  const proxy = createServer(async (request, response) => {
    try {
      const body = await buffer(request);
      const headers = new Headers(request.headers as Record<string, string>);
      // These headers apply to a single connection.
      for (const name of ["connection", "content-length", "expect", "host", "transfer-encoding"])
        headers.delete(name);
      const answer = await fetch(new URL(request.url ?? "/", origin), {
        method: request.method ?? "GET",
        headers,
        ...(body.length > 0 && { body }),
      });
      const text = await answer.text();
      if (request.method === "PUT" || body.includes('"query":"mutation')) return withheld.resolve(text);
      response
        .writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" })
        .end(text);
    } catch (error) {
      withheld.reject(error);
      response.destroy();
    }
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  withheld.promise.catch(() => {});
  const hangUp = () => {
    proxy.close();
    proxy.closeAllConnections();
  };
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/graphql`,
    withheld: withheld.promise,
    hangUp,
    [Symbol.asyncDispose]: async () => hangUp(),
  };
}
