// Loaded before a server, takes out the checks of documents that no setting switches off, so that what they cost can be
// seen against a server that has none.
import { registerHooks } from "node:module";

const NONE = `
import { parse } from "graphql";
export const parseWithin = (_limits, _surface, source) => parse(source);
export const requireCostWithin = () => {};
`;

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith("/server/src/http/document-limits.ts")) return nextLoad(url, context);
    return { format: "module", source: NONE, shortCircuit: true };
  },
});
