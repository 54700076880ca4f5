import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type CommandResult,
  removeDirectory,
  type Server,
  startCommand,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";
import { startWithholdingProxy } from "../support/withholding-proxy.ts";

const key = { tenantId: "acme", workflowId: "w", artifactId: "a.txt" };

let dir: string;

beforeEach(async () => {
  dir = await temporaryDirectory();
  await writeFile(join(dir, "file"), "content");
});

afterEach(() => removeDirectory(dir));

/** Makes commands connect to the store's owner by another address. */
async function redirect(url: string): Promise<void> {
  const path = join(dir, "artifacts/.tierkeep/owner.json");
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), url }));
}

/**
 * Runs a command whose owner is killed after it made the change and before the command receives the response.
 *
 * @param next starts the next owner while the command is stopped; default: there is none
 */
async function killedInBetween(
  owner: Server,
  args: readonly string[],
  next: () => Promise<unknown> = async () => {},
): Promise<{ readonly withheld: unknown; readonly result: CommandResult }> {
  await using proxy = await startWithholdingProxy(owner);
  await redirect(proxy.url);
  await using command = startCommand([...args, "--json"], { cwd: dir });
  const withheld = JSON.parse(await proxy.withheld);
  command.signal("SIGSTOP");
  await owner.kill("SIGKILL");
  await next();
  proxy.hangUp();
  command.signal("SIGCONT");
  return { withheld, result: await command.ended };
}

describe.each([
  ["write", ["write", "acme/w/a.txt", "file"], ["ARTIFACT_WRITTEN", "ARTIFACT_WRITTEN"]],
  ["purge", ["purge", "acme/w/a.txt", "--yes"], ["ARTIFACT_WRITTEN", "ARTIFACT_PURGED"]],
])("a %s whose owner is killed before it responds", (_what, args, events) => {
  it.each(["the next owner", "the command itself, without a next owner"])(
    "is made once, and shows the original result from %s",
    async (by) => {
      await using first = await startServer({ dir });
      await createTierkeep({ url: first.url }).upload(key, "before");
      await using servers = new AsyncDisposableStack();
      const start = async () => servers.use(await startServer({ dir }));
      const { withheld, result } = await killedInBetween(
        first,
        args,
        by === "the next owner" ? start : undefined,
      );
      expect(result).toMatchObject({ code: 0, stderr: "" });
      expect(withoutAge(result.stdout)).toEqual(withoutAge(JSON.stringify(payloadOf(withheld))));

      if (by !== "the next owner") await start();
      const { url } = JSON.parse(await readFile(join(dir, "artifacts/.tierkeep/owner.json"), "utf8"));
      const log = createTierkeep({ url }).lifecycleEventHistory({ direction: "ASC" });
      expect((await log).nodes.map(({ type }) => type)).toEqual(events);
    },
  );
});

/** Returns the part of a mutation's response that the command shows. */
function payloadOf(answer: unknown): unknown {
  const { data } = answer as { readonly data?: Readonly<Record<string, unknown>> };
  return data === undefined ? answer : Object.values(data)[0];
}

/** Parses JSON without the age, the only value that changes with time. */
function withoutAge(json: string): unknown {
  return JSON.parse(json, (name, value) => (name === "ageDays" ? null : value));
}
