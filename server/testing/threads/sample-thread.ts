import process from "node:process";
import { workerData } from "node:worker_threads";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { serveThread } from "../../src/threads/thread-server.ts";

// For tests: a thread whose calls return, fail, stay pending or end it. With `workerData` it cannot open.
await serveThread(() => {
  if (typeof workerData === "string") throw Object.assign(new Error(workerData), { name: "OpeningError" });
  const cancelled: number[] = [];
  return {
    opened: "ready",
    start: ({ id, method, args }, resolve) => {
      if (method === "echo") resolve(args[0]);
      if (method === "cancelled") resolve(cancelled);
      if (method === "id") resolve(id);
      if (method === "fail") throw Object.assign(new Error("no such file"), { code: "ENOENT", errcode: 14 });
      if (method === "refuse") throw new Refused("STORAGE_FULL", "full", { tier: "HOT" });
      if (method === "exit") process.exit(1);
    },
    cancel: (id) => cancelled.push(id),
  };
});
