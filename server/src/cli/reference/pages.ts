import { programOf } from "../program.ts";
import { commandsPage } from "./commands-page.ts";
import { configurationPage } from "./configuration-page.ts";

/** Returns the text of each generated page of docs/, by file name. */
export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  const program = await programOf(
    async () => {},
    () => true,
  );
  return { "configuration.md": configurationPage(), "cli.md": commandsPage(program) };
}
