// Preloaded by a server. With the query `none`, it removes the checks of documents that no setting disables, so a
// server with these checks can be compared with one without them.
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
