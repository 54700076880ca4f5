import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ROLES } from "../domain/principal.ts";
import { RIGHTS, type RightName } from "../domain/rights.ts";
import { schema } from "./index.ts";

const page = readFileSync(new URL("../../../docs/security.md", import.meta.url), "utf8");

/** The rows of the table of rights in docs/security.md, by field name. */
const rows = new Map(
  page
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter((cells) => cells.length === ROLES.length + 3)
    .flatMap(([, what = "", ...cells]) =>
      [...what.matchAll(/`(\w+)`/g)].map(([, field = ""]) => [field, cells.slice(0, -1)] as const),
    ),
);

const fields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  .flatMap((type) => Object.values(type?.getFields() ?? {}))
  .map(({ name, extensions }) => ({ name, needs: extensions.needs as RightName }))
  .filter(({ needs }) => needs !== "read");

it.each(fields)("docs/security.md states the roles that may use $name", ({ name, needs }) => {
  const least = ROLES.indexOf(RIGHTS[needs].role);
  const cells = rows.get(name) ?? [];
  expect(cells.map((cell) => cell !== "")).toEqual(ROLES.map((_, rank) => rank >= least));
});
