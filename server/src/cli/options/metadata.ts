import { exactJson } from "@tierkeep/schema/domain/exact-numbers";
import { type Metadata, requireMetadata } from "@tierkeep/schema/domain/metadata";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { type Command, InvalidArgumentError, Option } from "commander";
import { collecting } from "./repeatable.ts";

/** Metadata on the command line: texts as key=text, other values as JSON. */
export interface MetadataOptions {
  readonly meta?: ReadonlyMap<string, string> | undefined;
  readonly metadata?: string | undefined;
}

/** @param means what the metadata is for, as the first words of the options' help */
export function metadataOptions(command: Command, means: string): Command {
  return command
    .addOption(collecting(new Option("--meta <key=text>", `${means}; repeatable`), pairsOf))
    .option("--metadata <json>", "the same as a JSON object, for numbers and other values");
}

/**
 * Returns the metadata of both options; undefined: neither was given.
 *
 * @throws Refused BAD_USER_INPUT, CONTENT_TOO_LARGE
 */
export function metadataOf({ meta, metadata }: MetadataOptions): Metadata | undefined {
  if (meta === undefined && metadata === undefined) return undefined;
  const given = metadata === undefined ? {} : parsed(metadata);
  for (const key of meta?.keys() ?? []) {
    if (Object.hasOwn(given, key)) {
      throw new Refused(
        "BAD_USER_INPUT",
        `--meta and --metadata both give ${JSON.stringify(key)}. Give it once.`,
      );
    }
  }
  return requireMetadata({ ...given, ...Object.fromEntries(meta ?? []) }, "--metadata");
}

function parsed(text: string): Metadata {
  let value: unknown;
  try {
    value = JSON.parse(exactJson(text));
  } catch {
    throw new Refused("BAD_USER_INPUT", `--metadata is not JSON. Give an object, such as '{"rows": 42}'.`);
  }
  return requireMetadata(value, "--metadata");
}

function pairsOf(text: string, before: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Give key=text.");
  const key = text.slice(0, at);
  if (before.has(key)) throw new InvalidArgumentError(`${key} is given twice.`);
  return new Map([...before, [key, text.slice(at + 1)]]);
}
