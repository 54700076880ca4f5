import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ThreadClient } from "./thread-client.ts";

const script = new URL("../../testing/threads/sample-thread.ts", import.meta.url);
let ends: number;
let client: ThreadClient;

function start(workerData: unknown = null): ThreadClient {
  return new ThreadClient({
    script,
    worker: { workerData },
    keepsProcessAlive: "calls",
    endedError: (cause) => new Error("ended", { cause }),
    closedError: () => new Error("closed"),
    onEnd: () => {
      ends += 1;
    },
  });
}

beforeEach(() => {
  ends = 0;
  client = start();
});
afterEach(() => client.close());

describe("ThreadClient", () => {
  it("returns what the service returned, for its opening and for each call", async () => {
    expect(await client.opened).toBe("ready");
    expect(await Promise.all([1, 2, 3].map((n) => client.call("echo", [n])))).toEqual([1, 2, 3]);
    expect(client.load).toBe(0);
  });

  it("restores the codes of errors and the class of refusals", async () => {
    await expect(client.call("fail", [])).rejects.toMatchObject({
      message: "no such file",
      code: "ENOENT",
      errcode: 14,
      stack: expect.stringContaining("sample-thread"),
    });
    const refused = { name: "Refused", code: "STORAGE_FULL", facts: { tier: "HOT" } };
    await expect(client.call("refuse", [])).rejects.toMatchObject(refused);
  });

  it("rejects a cancelled call with the signal's reason, and cancels it in the thread", async () => {
    const abort = new AbortController();
    const pending = client.call("wait", [], undefined, abort.signal);
    abort.abort(new Error("no longer needed"));
    await expect(pending).rejects.toThrow("no longer needed");
    expect(await client.call("cancelled", [])).toEqual([1]);
    expect(ends).toBe(0);
  });

  it("finishes earlier calls before it closes, and rejects later ones with closedError", async () => {
    const pending = client.call("echo", ["first"]);
    const closing = client.close();
    await expect(client.call("echo", ["late"])).rejects.toThrow("closed");
    expect(await pending).toBe("first");
    await closing;
    expect(ends).toBe(0);
  });

  it("resolves drained once no call is pending", async () => {
    const pending = client.call("echo", [1]);
    await client.drained();
    expect(client.load).toBe(0);
    await pending;
  });

  it("rejects pending and later calls with endedError when the thread exits", async () => {
    const pending = client.call("wait", []);
    await expect(client.call("exit", [])).rejects.toThrow("ended");
    await expect(pending).rejects.toThrow("ended");
    await expect(client.call("echo", [1])).rejects.toThrow("ended");
    expect([client.hasEnded, ends]).toEqual([true, 1]);
  });

  it("rejects its opening and its calls where the service cannot open", async () => {
    const broken = start("no disk");
    const call = expect(broken.call("echo", [1])).rejects.toMatchObject({
      message: "ended",
      cause: { message: "no disk" },
    });
    await expect(broken.opened).rejects.toMatchObject({ name: "OpeningError", message: "no disk" });
    await call;
    expect(ends).toBe(1);
  });
});
