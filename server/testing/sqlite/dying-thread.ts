import process from "node:process";
import { SqliteWriter } from "../../src/catalog/sqlite/writes/writer.ts";

/** Actors whose changes end a thread that has loaded this module. */
export const DIES_BEFORE_COMMIT = "dies before the commit";
export const DIES_AFTER_COMMIT = "dies after the commit";

// For tests: a writer's thread that ends in the middle of a call, before or after its group is committed.
const run = SqliteWriter.prototype.run;
SqliteWriter.prototype.run = function (changes) {
  const has = (actor: string) => changes.some((change) => "actor" in change && change.actor === actor);
  if (has(DIES_BEFORE_COMMIT)) process.exit(1);
  const result = run.call(this, changes);
  if (has(DIES_AFTER_COMMIT)) process.exit(1);
  return result;
};
