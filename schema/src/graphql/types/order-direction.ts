import { builder } from "./builder.ts";
import { described } from "./described-enum.ts";

export const OrderDirection = builder.enumType("OrderDirection", {
  description: "Direction of a sort.",
  values: described({
    ASC: "Ascending: the smallest, the earliest, or the first by name comes first.",
    DESC: "Descending: the largest, the latest, or the last by name comes first.",
  }),
});
