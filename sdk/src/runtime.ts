interface WithBuiltinModules {
  readonly getBuiltinModule?: (name: string) => unknown;
}

/**
 * Returns a built-in module of Node, Bun or Deno; undefined in browsers. Read through `process`, because with
 * an import a bundler could not build this for browsers.
 */
export function builtinModule(name: string): unknown {
  const { process } = globalThis as { readonly process?: WithBuiltinModules };
  return process?.getBuiltinModule?.(name);
}
