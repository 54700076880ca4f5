// Loaded before a server: with the query `none`, it takes out those checks of documents that no setting switches off, so
// that a server that has them can be compared with one that has not.
import { registerHooks } from "node:module";

const NONE = `
import { parse } from "graphql";
export const parseWithin = (_limits, _surface, source) => parse(source);
export const requireCostWithin = () => {};
`;
const none = new URL(import.meta.url).search === "?none";

registerHooks({
  load(url, context, nextLoad) {
    if (!none || !url.endsWith("/server/src/http/graphql/document-limits.ts")) return nextLoad(url, context);
    return { format: "module", source: NONE, shortCircuit: true };
  },
});
