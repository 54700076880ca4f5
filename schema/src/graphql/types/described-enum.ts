type EnumValues<Name extends string> = {
  [Value in Name]: { readonly value: Value; readonly description: string };
};

/**
 * Returns the values of an enum type, each with its description. The schema and the domain use the same
 * names.
 */
export function described<Name extends string>(
  descriptions: Readonly<Record<Name, string>>,
): EnumValues<Name> {
  const values = Object.entries<string>(descriptions).map(([value, description]) => [
    value,
    { value, description },
  ]);
  return Object.fromEntries(values) as EnumValues<Name>;
}
