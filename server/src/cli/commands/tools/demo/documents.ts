import { createHash } from "node:crypto";

/** A document such as a workflow would produce. The same index always gives the same bytes. */
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

/** Returns the document at `index`, counted from 0: in turn a report, a build log, an export and a table. */
export function demoDocument(index: number): DemoDocument {
  const kind = KINDS[index % KINDS.length] ?? markdown;
  const next = randomNumbers(index + 1);
  const { text, ...names } = kind(index, {
    number: (most) => Math.floor(next() * most),
    one: (choices) => choices[Math.floor(next() * choices.length)] ?? "",
  });
  const bytes = new TextEncoder().encode(text);
  return { ...names, bytes, checksum: createHash("sha256").update(bytes).digest("hex") };
}

interface Random {
  /** A whole number from 0 to below `most`. */
  number(most: number): number;
  one(choices: readonly string[]): string;
}

type Draft = Omit<DemoDocument, "bytes" | "checksum"> & { readonly text: string };

function markdown(index: number, random: Random): Draft {
  const [topic, place, author] = [random.one(TOPICS), random.one(PLACES), random.one(AUTHORS)];
  const rows = Array.from(
    { length: 4 + random.number(12) },
    (_, week) => `| ${week + 1} | ${random.number(1_000)} | ${random.number(100)} % |`,
  );
  return {
    workflowId: "weekly-reports",
    artifactId: `${topic}_${padded(index)}.md`,
    metadata: { author, place, topic },
    text: `# ${topic} in ${place}\n\nBy ${author}.\n\n| week | volume | change |\n|---|---|---|\n${rows.join("\n")}\n`,
  };
}

function log(index: number, random: Random): Draft {
  const lines = Array.from(
    { length: 20 + random.number(200) },
    (_, step) =>
      `[${padded(step)}] ${random.one(["compile", "link", "test", "pack"])} unit-${random.number(64)}: ok`,
  );
  return {
    workflowId: "nightly-build",
    artifactId: `build_${padded(index)}.txt`,
    metadata: { exitCode: 0, steps: lines.length },
    text: `${lines.join("\n")}\n`,
  };
}

function json(index: number, random: Random): Draft {
  const stations = Array.from({ length: 3 + random.number(20) }, (_, id) => ({
    id,
    place: random.one(PLACES),
    readings: Array.from({ length: 8 }, () => random.number(500) / 10),
  }));
  return {
    workflowId: "exports",
    artifactId: `stations_${padded(index)}.json`,
    metadata: { stations: stations.length },
    text: `${JSON.stringify({ export: index, stations }, null, 2)}\n`,
  };
}

/**
 * Returns a table as CSV. Every third table is too large to be stored inline in the catalog, so that the demo
 * covers both kinds of writes.
 */
function csv(index: number, random: Random): Draft {
  const large = Math.floor(index / KINDS.length) % 3 === 0;
  const rows = Array.from(
    { length: large ? 4_000 : 100 },
    (_, row) => `${row},${random.one(PLACES)},${random.one(TOPICS)},${random.number(100_000) / 100}`,
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

/** Mulberry32: seeded pseudo-random numbers from 0 to below 1. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
