const bodies = new WeakMap<Response, Uint8Array>();

/** A response whose body all connections share: nothing of it is copied, however many clients read it, or do not. */
export function sharedBodyResponse(body: Uint8Array, headers: Headers): Response {
  const stream = new ReadableStream(
    {
      pull(controller) {
        controller.enqueue(body);
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const response = new Response(stream, { headers });
  bodies.set(response, body);
  return response;
}

/** The bytes that a response shares with others; undefined: it shares none. */
export function sharedBodyOf(response: Response): Uint8Array | undefined {
  return bodies.get(response);
}
