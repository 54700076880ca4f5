import type { Principal } from "@tierkeep/schema/domain/principal";
import { toGraphQLError } from "@tierkeep/schema/graphql/errors";
import { createContext } from "@tierkeep/schema/graphql/execution/context";
import { schema } from "@tierkeep/schema/graphql/index";
import { UNCHARGED } from "@tierkeep/schema/services/charge";
import type { Services } from "@tierkeep/schema/services/services";
import { execute, parse } from "graphql";
import { guarded } from "../../src/access/guard.ts";
import type { EngineJobs } from "../../src/services/job-service.ts";
import { servicesOf } from "../stores/engine-services.ts";
import { EngineStore } from "../stores/engine-store.ts";

const POLICY = { hotDays: 2, warmDays: 5, coldDays: 9 };

/**
 * For proofs: a real store with a manual clock, queried in GraphQL for any principal and without a transport.
 */
export class GuardedStore implements AsyncDisposable {
  readonly store: EngineStore;
  readonly services: Services;
  readonly #jobs: EngineJobs;

  private constructor(store: EngineStore) {
    this.store = store;
    const { services, jobs } = servicesOf(store, { policy: () => POLICY });
    this.#jobs = jobs;
    this.services = guarded(services);
  }

  /** `root`: folder of the store, which is deleted with it. */
  static async open(root: string): Promise<GuardedStore> {
    return new GuardedStore(await EngineStore.open({}, root));
  }

  /** Runs a query. Returns the response as a client gets it. */
  async ask(principal: Principal, query: string, variableValues: Record<string, unknown> = {}) {
    const contextValue = createContext({
      services: this.services,
      principal,
      requestId: "request",
      charge: UNCHARGED,
    });
    const { data, errors = [] } = await execute({
      schema,
      document: parse(query),
      contextValue,
      variableValues,
    });
    return JSON.parse(
      JSON.stringify({ data: data ?? null, errors: errors.map((error) => toGraphQLError(error, "request")) }),
    ) as { data: unknown; errors: { extensions: { code: string } }[] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#jobs.stop();
    await this.store[Symbol.asyncDispose]();
  }
}
