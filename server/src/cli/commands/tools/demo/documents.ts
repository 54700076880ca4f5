import { createHash } from "node:crypto";

/** A document as a workflow would leave it behind. The same index gives the same bytes, always. */
export interface DemoDocument {
  readonly workflowId: string;
  readonly artifactId: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes, lower-case hex. */
  readonly checksum: string;
  readonly metadata: { readonly [key: string]: unknown };
}

const PLACES = ["Bergen", "Córdoba", "Hà Nội", "Kraków", "Malmö", "Porto", "Reykjavík", "Zürich"];
const TOPICS = ["freight", "harvest", "rainfall", "ridership", "tides", "turbines"];
const AUTHORS = ["Ada", "Bao", "Chiara", "Dmitri", "Esi"];

const KINDS = [markdown, log, json, csv] as const;

/** The `index`th document, counted from 0: a report, a build log, an export and a table in turn. */
export function demoDocument(index: number): DemoDocument {
  const kind = KINDS[index % KINDS.length] ?? markdown;
  const random = randomNumbers(index + 1);
  const { text, ...names } = kind(index, {
    number: (most) => Math.floor(random() * most),
    one: (choices) => choices[Math.floor(random() * choices.length)] ?? "",
  });
  const bytes = new TextEncoder().encode(text);
  return { ...names, bytes, checksum: createHash("sha256").update(bytes).digest("hex") };
}

interface Dice {
  /** A whole number from 0 to under `most`. */
  number(most: number): number;
  one(choices: readonly string[]): string;
}

type Draft = Omit<DemoDocument, "bytes" | "checksum"> & { readonly text: string };

function markdown(index: number, dice: Dice): Draft {
  const [topic, place, author] = [dice.one(TOPICS), dice.one(PLACES), dice.one(AUTHORS)];
  const rows = Array.from(
    { length: 4 + dice.number(12) },
    (_, week) => `| ${week + 1} | ${dice.number(1_000)} | ${dice.number(100)} % |`,
  );
  return {
    workflowId: "weekly-reports",
    artifactId: `${topic}_${padded(index)}.md`,
    metadata: { author, place, topic },
    text: `# ${topic} in ${place}\n\nBy ${author}.\n\n| week | volume | change |\n|---|---|---|\n${rows.join("\n")}\n`,
  };
}

function log(index: number, dice: Dice): Draft {
  const lines = Array.from(
    { length: 20 + dice.number(200) },
    (_, step) =>
      `[${padded(step)}] ${dice.one(["compile", "link", "test", "pack"])} unit-${dice.number(64)}: ok`,
  );
  return {
    workflowId: "nightly-build",
    artifactId: `build_${padded(index)}.txt`,
    metadata: { exitCode: 0, steps: lines.length },
    text: `${lines.join("\n")}\n`,
  };
}

function json(index: number, dice: Dice): Draft {
  const stations = Array.from({ length: 3 + dice.number(20) }, (_, id) => ({
    id,
    place: dice.one(PLACES),
    readings: Array.from({ length: 8 }, () => dice.number(500) / 10),
  }));
  return {
    workflowId: "exports",
    artifactId: `stations_${padded(index)}.json`,
    metadata: { stations: stations.length },
    text: `${JSON.stringify({ export: index, stations }, null, 2)}\n`,
  };
}

/** Every third table is too large to ride in the catalog, so that the demo takes both ways in. */
function csv(index: number, dice: Dice): Draft {
  const large = Math.floor(index / KINDS.length) % 3 === 0;
  const rows = Array.from(
    { length: large ? 4_000 : 100 },
    (_, row) => `${row},${dice.one(PLACES)},${dice.one(TOPICS)},${dice.number(100_000) / 100}`,
  );
  return {
    workflowId: "exports",
    artifactId: `ledger_${padded(index)}.csv`,
    metadata: { columns: ["row", "place", "topic", "value"], rows: rows.length },
    text: `row,place,topic,value\n${rows.join("\n")}\n`,
  };
}

function padded(index: number): string {
  return String(index + 1).padStart(4, "0");
}

/** Mulberry32: numbers from 0 to under 1 that follow from the seed alone. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
