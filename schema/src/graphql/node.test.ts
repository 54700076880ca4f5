import { describe, expect, it } from "vitest";
import { Refused } from "../domain/refusals.ts";
import { ask } from "./testing/fake-request.ts";
import {
  aLifecycleJob,
  anArtifact,
  anEvent,
  aReindexJob,
  aRestoreJob,
  aVerifyJob,
  fakeServices,
} from "./testing/fake-services.ts";
import {
  artifactGlobalId,
  jobGlobalId,
  lifecycleEventGlobalId,
  tenantGlobalId,
  workflowGlobalId,
} from "./types/global-ids.ts";

const artifact = anArtifact();
const stored = {
  artifacts: [artifact],
  events: [anEvent({ jobId: "lifecycle-1" })],
  jobs: [aLifecycleJob(), aRestoreJob(), aReindexJob(), aVerifyJob()],
};
const ids = {
  artifact: artifactGlobalId(artifact),
  tenant: tenantGlobalId("acme"),
  workflow: workflowGlobalId(artifact),
  event: lifecycleEventGlobalId("cursor-1"),
  lifecycleJob: jobGlobalId("lifecycle-1"),
  restoreJob: jobGlobalId("restore-1"),
  reindexJob: jobGlobalId("reindex-1"),
  verifyJob: jobGlobalId("verify-1"),
};
const nodes = "query Q($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";

describe("node and nodes", () => {
  it("fetch every type by its id, with one call per service method", async () => {
    const services = fakeServices(stored);
    const { data, errors } = await ask(services, nodes, { ids: Object.values(ids) });
    expect(errors).toEqual([]);
    expect(data.nodes).toEqual([
      { __typename: "Artifact", id: ids.artifact },
      { __typename: "Tenant", id: ids.tenant },
      { __typename: "Workflow", id: ids.workflow },
      { __typename: "LifecycleEvent", id: ids.event },
      { __typename: "LifecycleJob", id: ids.lifecycleJob },
      { __typename: "RestoreJob", id: ids.restoreJob },
      { __typename: "ReindexJob", id: ids.reindexJob },
      { __typename: "VerifyJob", id: ids.verifyJob },
    ]);
    expect(services.calls.map(({ method }) => method).sort()).toEqual([
      "artifacts.getMany",
      "events.getMany",
      "jobs.getMany",
      "tenants.exist",
      "tenants.workflowsExist",
    ]);
  });

  it("return null for missing objects and malformed ids, without affecting other entries", async () => {
    const given = [
      "nonsense",
      "",
      ids.artifact,
      tenantGlobalId("missing"),
      jobGlobalId("none"),
      "VGVuYW50Ly4u",
    ];
    const { data, errors } = await ask(fakeServices(stored), nodes, { ids: given });
    expect(errors).toEqual([]);
    expect(data.nodes).toEqual([null, null, { __typename: "Artifact", id: ids.artifact }, null, null, null]);
    expect(await ask(fakeServices(stored), '{ node(id: "nonsense") { id } }')).toEqual({
      data: { node: null },
      errors: [],
    });
  });

  it("fail only for the entries whose service fails", async () => {
    const services = fakeServices({
      ...stored,
      overrides: { jobs: { getMany: () => Promise.reject(new Refused("UNAVAILABLE", "Not now.")) } },
    });
    const { data, errors } = await ask(services, nodes, { ids: [ids.lifecycleJob, ids.artifact] });
    expect(data.nodes).toEqual([null, { __typename: "Artifact", id: ids.artifact }]);
    expect(errors.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [["nodes", 0], "UNAVAILABLE"],
    ]);
  });

  it("reject more than 500 ids", async () => {
    const { errors } = await ask(fakeServices(), nodes, { ids: Array(501).fill("x") });
    expect(errors.map(({ extensions }) => [extensions.code, extensions.argument])).toEqual([
      ["BAD_USER_INPUT", "ids"],
    ]);
  });
});

describe("global ids of jobs", () => {
  const job = "query Q($id: ID!) { lifecycleJob(id: $id) { id status } }";

  it("are accepted by lifecycleJob only for lifecycle runs; for others it returns null", async () => {
    for (const [id, found] of [
      [ids.lifecycleJob, { id: ids.lifecycleJob, status: "SUCCEEDED" }],
      [ids.restoreJob, null],
      [ids.tenant, null],
      ["lifecycle-1", null],
    ]) {
      expect(await ask(fakeServices(stored), job, { id })).toEqual({
        data: { lifecycleJob: found },
        errors: [],
      });
    }
  });

  it("are returned as the `jobId` of events", async () => {
    const { data } = await ask(fakeServices(stored), "{ lifecycleEvents { nodes { id jobId } } }");
    expect(data.lifecycleEvents.nodes).toEqual([{ id: ids.event, jobId: ids.lifecycleJob }]);
  });

  it.each([
    [ids.lifecycleJob, "lifecycle-1"],
    [ids.tenant, ""],
    ["nonsense", ""],
  ])(
    "filter events: %s becomes the job id %j, where an empty id matches no event",
    async (jobId, filtered) => {
      const services = fakeServices(stored);
      await ask(services, "query Q($id: ID) { lifecycleEvents(where: { jobId: $id }) { nodes { id } } }", {
        id: jobId,
      });
      expect(services.calls[0]?.args[0]).toMatchObject({ jobId: filtered });
    },
  );

  it("are accepted by cancelJob, which rejects other ids with NOT_FOUND without calling the service", async () => {
    const cancel = "mutation M($id: ID!) { cancelJob(input: { id: $id }) { job { __typename id status } } }";
    const services = fakeServices(stored);
    const { data } = await ask(services, cancel, { id: ids.lifecycleJob });
    expect(data.cancelJob.job).toEqual({
      __typename: "LifecycleJob",
      id: ids.lifecycleJob,
      status: "CANCELLED",
    });
    for (const id of [ids.artifact, "nonsense", ""]) {
      const refused = await ask(services, cancel, { id });
      expect(refused.data).toEqual({ cancelJob: null });
      expect(refused.errors[0]?.extensions).toMatchObject({ code: "NOT_FOUND", argument: "input.id" });
    }
    expect(services.calls.filter(({ method }) => method === "jobs.cancel")).toHaveLength(1);
  });
});
