import type { Principal } from "@tierkeep/schema/domain/principal";
import { createContext } from "@tierkeep/schema/graphql/context";
import { toGraphQLError } from "@tierkeep/schema/graphql/errors";
import { schema } from "@tierkeep/schema/graphql/index";
import { UNCHARGED } from "@tierkeep/schema/services/charge";
import type { Services } from "@tierkeep/schema/services/services";
import { execute, parse } from "graphql";
import { guarded } from "../access/guard.ts";
import { EventCursors } from "../engine/event-cursor.ts";
import { EngineEvents } from "../engine/event-service.ts";
import { EngineKeys } from "../engine/key-service.ts";
import { OpenedStore } from "../engine/opened-store.ts";
import { EngineQuarantine } from "../engine/quarantine-service.ts";
import { EngineUrls } from "../engine/signed-urls.ts";
import { EngineTenants } from "../engine/tenant-service.ts";
import { EngineJobs } from "../lifecycle/job-service.ts";

const POLICY = { hotDays: 2, warmDays: 5, coldDays: 9 };

/** For proofs: a real store whose clock is turned by hand, asked in GraphQL on anybody's behalf and without a transport. */
export class GuardedStore implements AsyncDisposable {
  readonly store: OpenedStore;
  readonly services: Services;
  readonly #jobs: EngineJobs;

  private constructor(store: OpenedStore) {
    this.store = store;
    const { catalog, engine } = store;
    this.#jobs = new EngineJobs({ engine, policy: () => POLICY, allowAsOf: false, onProblem: () => {} });
    const keys = new EngineKeys(catalog, engine.clock);
    this.services = guarded({
      artifacts: engine.artifacts,
      tenants: new EngineTenants(catalog, () => POLICY),
      events: new EngineEvents(catalog, new EventCursors(catalog.epoch, new Uint8Array(16))),
      jobs: this.#jobs,
      keys,
      quarantine: new EngineQuarantine({
        catalog,
        clock: engine.clock,
        stores: engine.stores,
        purgeRefusal: engine.purgeRefusal,
      }),
      urls: new EngineUrls({
        catalog,
        clock: engine.clock,
        keys,
        storeKey: new Uint8Array(16),
        basePath: "",
      }),
      basePath: "",
      limits: { maxInlineBytes: 1024 * 1024, maxArtifactBytes: null },
      server: {
        version: "1.2.3",
        authentication: true,
        schedule: null,
        nextRunAt: () => null,
        graphiql: true,
      },
      now: () => store.now,
    });
  }

  /** `root`: where it is to be; it goes with the rest in the end. */
  static async open(root: string): Promise<GuardedStore> {
    return new GuardedStore(await OpenedStore.open({}, root));
  }

  /** An answer as a client gets it. */
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
