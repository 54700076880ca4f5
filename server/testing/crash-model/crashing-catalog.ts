import type { Catalog } from "../../src/catalog/catalog.ts";
import type { Change } from "../../src/catalog/changes.ts";
import type { CrashPoint } from "./crash-point.ts";

/** The changes that the engine commits, each with a crash point before and after it. A missing kind fails the check. */
export const COMMIT_STEPS = [
  "stage",
  "abandon",
  "abandonOrphaned",
  "write",
  "move",
  "purge",
  "runBatch",
  "stageFound",
  "adoptBatch",
  "settled",
  "published",
  "republish",
  "collected",
  "sweepAnswers",
  "damage",
] as const satisfies readonly Change["kind"][];

/** Wraps the catalog with a crash point before and after each commit. */
export function crashingCatalog(catalog: Catalog, crashPoint: CrashPoint): Catalog {
  return new Proxy(catalog, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      const call = value.bind(target) as (...given: unknown[]) => unknown;
      switch (property) {
        case "commit":
          return (change: Change) => withCrashPoints(crashPoint, change.kind, () => call(change));
        case "commitAll":
          return async (changes: readonly Change[]) => {
            // The catalog may commit them in several groups, so a crash may leave a part of them.
            const half = Math.ceil(changes.length / 2);
            const outcomes: unknown[] = [];
            for (const part of [changes.slice(0, half), changes.slice(half)]) {
              const [first] = part;
              if (first)
                outcomes.push(
                  ...((await withCrashPoints(crashPoint, first.kind, () => call(part))) as unknown[]),
                );
            }
            return outcomes;
          };
        case "onCommitted":
          return call;
        default:
          return async (...given: unknown[]) => {
            crashPoint.throwIfCrashed();
            const answer = await call(...given);
            crashPoint.throwIfCrashed();
            return answer;
          };
      }
    },
  });
}

async function withCrashPoints(
  crashPoint: CrashPoint,
  kind: Change["kind"],
  commit: () => unknown,
): Promise<unknown> {
  crashPoint.step(`commit ${kind}`);
  const answer = await commit();
  crashPoint.step(`committed ${kind}`);
  return answer;
}
