/** What stands between a server and its work; null: nothing. */
export interface Health {
  /** By part, e.g. "catalog": what is wrong with it, or null. */
  readonly checks: Readonly<Record<string, string | null>>;
}

/** Alive: the process answers. It says nothing of what it can do, lest it be killed for a disk that is full. */
export function healthz(): Response {
  return Response.json({ status: "ok" }, { headers: { "cache-control": "no-store" } });
}

/** Ready for requests. @param tells whether it says, part by part, what is wrong: whoever asks has not said who it is */
export async function readyz(health: () => Promise<Health>, tells: boolean): Promise<Response> {
  const { checks } = await health();
  const ready = Object.values(checks).every((problem) => problem === null);
  return Response.json(
    {
      status: ready ? "ready" : "not ready",
      ...(tells && {
        checks: Object.fromEntries(Object.entries(checks).map(([name, problem]) => [name, problem ?? "ok"])),
      }),
    },
    { status: ready ? 200 : 503, headers: { "cache-control": "no-store" } },
  );
}
