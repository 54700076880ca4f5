type EnumValues<Name extends string> = {
  [Value in Name]: { readonly value: Value; readonly description: string };
};

/** Values of an enum type whose names are also what the domain calls them, each with its description. */
export function described<Name extends string>(
  descriptions: Readonly<Record<Name, string>>,
): EnumValues<Name> {
  const values = Object.entries<string>(descriptions).map(([value, description]) => [
    value,
    { value, description },
  ]);
  return Object.fromEntries(values) as EnumValues<Name>;
}
