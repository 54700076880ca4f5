/**
 * Returns a description of the schema as a doc comment with a final line break; "" if there is no
 * description.
 */
export function comment(description: string | null | undefined, indent = ""): string {
  if (!description) return "";
  const lines = description.replaceAll("*/", "*\\/").trim().split("\n");
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}
