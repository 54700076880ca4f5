/** A description of the schema as a doc comment, ending in a line break; nothing when there is none. */
export function comment(description: string | null | undefined, indent = ""): string {
  if (!description) return "";
  const lines = description.replaceAll("*/", "*\\/").trim().split("\n");
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}
