/** What prevents the server from working. */
export interface Health {
  /** By component, for example "catalog": the problem, or null. */
  readonly checks: Readonly<Record<string, string | null>>;
}

/**
 * Returns the liveness response: 200 whenever the process responds. It does not report problems, because a restart would not fix a full disk.
 */
export function healthz(): Response {
  return Response.json({ status: "ok" }, { headers: { "cache-control": "no-store" } });
}

/**
 * Returns the readiness response: 200 if all checks pass, otherwise 503.
 *
 * @param showsChecks whether the response includes the problem of each component. The caller is not
 *   authenticated.
 */
export async function readyz(health: () => Promise<Health>, showsChecks: boolean): Promise<Response> {
  const { checks } = await health();
  const ready = Object.values(checks).every((problem) => problem === null);
  return Response.json(
    {
      status: ready ? "ready" : "not ready",
      ...(showsChecks && {
        checks: Object.fromEntries(Object.entries(checks).map(([name, problem]) => [name, problem ?? "ok"])),
      }),
    },
    { status: ready ? 200 : 503, headers: { "cache-control": "no-store" } },
  );
}
