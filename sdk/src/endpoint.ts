import { TierkeepError } from "./errors.ts";

/** The key of one artifact. */
export interface ArtifactKey {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly artifactId: string;
}

/**
 * Returns the server's GraphQL endpoint as an absolute URL. `url` is the endpoint, with or without a trailing
 * slash, or the URL of the server, to which "/graphql" is added.
 *
 * @throws TypeError, without the URL, if it contains credentials: give them as `token`
 */
export function endpointOf(url: string | URL): string {
  const endpoint = new URL(url);
  if (endpoint.username !== "" || endpoint.password !== "") {
    throw new TypeError("The url contains credentials. Give them as token or in headers.");
  }
  endpoint.hash = "";
  const path = endpoint.pathname.replace(/\/+$/, "");
  endpoint.pathname = path.endsWith("/graphql") ? path : `${path}/graphql`;
  return endpoint.href;
}

/**
 * Returns the URL at which an artifact's content is read and written. Slashes of the artifact's id stay slashes.
 *
 * @throws InvalidIdentifierError for segments that a URL cannot contain unchanged (empty, `.`, `..`, lone
 * surrogates); the server checks every other rule
 */
export function artifactUrl(endpoint: string, key: ArtifactKey): URL {
  const segments = (["tenantId", "workflowId", "artifactId"] as const).flatMap((argument) =>
    (argument === "artifactId" ? key[argument].split("/") : [key[argument]]).map((segment) => {
      if (/^\.{0,2}$|\p{Surrogate}/u.test(segment)) {
        throw new TierkeepError(
          "INVALID_IDENTIFIER",
          `${argument} ${JSON.stringify(segment)} cannot name an artifact.`,
          { argument },
        );
      }
      return encodeURIComponent(segment);
    }),
  );
  return new URL(`artifacts/${segments.join("/")}`, endpoint);
}
