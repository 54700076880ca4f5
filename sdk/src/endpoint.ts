import { TierkeepError } from "./errors.ts";

/** The user's own names of one artifact. */
export interface ArtifactKey {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly artifactId: string;
}

/**
 * The server's GraphQL endpoint as an absolute URL. `url` may be the endpoint, with or without a slash at its end, or the
 * URL of the server, to which "/graphql" is added.
 *
 * @throws TypeError, which does not repeat the URL, for one that carries credentials: those belong into `token`
 */
export function endpointOf(url: string | URL): string {
  const endpoint = new URL(url);
  if (endpoint.username !== "" || endpoint.password !== "") {
    throw new TypeError("The url carries credentials. Give them as token or in headers.");
  }
  endpoint.hash = "";
  const path = endpoint.pathname.replace(/\/+$/, "");
  endpoint.pathname = path.endsWith("/graphql") ? path : `${path}/graphql`;
  return endpoint.href;
}

/**
 * Where an artifact's bytes are read and written.
 *
 * @throws InvalidIdentifierError for the names that a URL cannot carry as they are (empty, `.`, `..`, lone surrogates);
 * every other rule is the server's
 */
export function artifactUrl(endpoint: string, key: ArtifactKey): URL {
  const segments = (["tenantId", "workflowId", "artifactId"] as const).map((argument) => {
    const name = key[argument];
    if (name === "" || name === "." || name === ".." || /\p{Surrogate}/u.test(name)) {
      throw new TierkeepError(
        "INVALID_IDENTIFIER",
        `${argument} ${JSON.stringify(name)} cannot name an artifact.`,
        {
          argument,
        },
      );
    }
    return encodeURIComponent(name);
  });
  return new URL(`artifacts/${segments.join("/")}`, endpoint);
}
