interface WithBuiltinModules {
  readonly getBuiltinModule?: (name: string) => unknown;
}

/**
 * A module of Node's own, where the runtime has them (Node, Bun, Deno); undefined in browsers. Asked for through
 * `process`, because an import would keep bundlers from building this for browsers.
 */
export function builtinModule(name: string): unknown {
  const { process } = globalThis as { readonly process?: WithBuiltinModules };
  return process?.getBuiltinModule?.(name);
}
