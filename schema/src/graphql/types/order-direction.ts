import { builder } from "./builder.ts";
import { described } from "./described-enum.ts";

export const OrderDirection = builder.enumType("OrderDirection", {
  description: "Which end of an order comes first.",
  values: described({
    ASC: "Smallest, oldest or first by name first.",
    DESC: "Largest, newest or last by name first.",
  }),
});
