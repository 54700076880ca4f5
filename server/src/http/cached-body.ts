const bodies = new WeakMap<Response, Uint8Array>();

/** Returns a response whose body is shared by all connections without copies. */
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

/** Returns the shared bytes of a response. Undefined if its body is not shared. */
export function sharedBodyOf(response: Response): Uint8Array | undefined {
  return bodies.get(response);
}
