/** How much one GraphQL document may ask for. */
export interface DocumentLimits {
  readonly maxTokens: number;
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxDirectives: number;
  /** About one for each value that may come back. */
  readonly maxCost: number;
}

/** How much a server takes of whoever calls. */
export interface Limits {
  readonly document: DocumentLimits;
}

/** Beyond what programs need that mean well: 500 keys written out; 500 nodes with all that the SDK asks of every type. */
export const DEFAULT_LIMITS: Limits = {
  document: { maxTokens: 6_000, maxDepth: 15, maxAliases: 50, maxDirectives: 50, maxCost: 60_000 },
};
