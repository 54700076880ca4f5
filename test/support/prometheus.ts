/** One sample line of a metric. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;

/**
 * Parses Prometheus text format 0.0.4 strictly. Returns the metric families by name.
 *
 * @throws if a line, the order of lines, a duplicate or a histogram violates the format
 */
export function familiesOf(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end with a newline");
  const families = new Map<string, Family & { samples: Sample[] }>();
  const seen = new Set<string>();
  let help: readonly [string, string] | null = null;
  let family: (Family & { samples: Sample[] }) | null = null;
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === "HELP") help = [name, rest];
    else if (keyword === "TYPE") {
      if (help?.[0] !== name) throw new Error(`${name} has no HELP before its TYPE`);
      if (families.has(name)) throw new Error(`${name} is there twice`);
      family = { name, help: help[1], type: rest, samples: [] };
      families.set(name, family);
    } else {
      const sample = sampleOf(line);
      if (family === null || !belongs(sample.name, family)) throw new Error(`no TYPE before ${line}`);
      const id = `${sample.name} ${JSON.stringify(sample.labels)}`;
      if (seen.has(id)) throw new Error(`${id} is there twice`);
      seen.add(id);
      family.samples.push(sample);
    }
  }
  for (const each of families.values()) if (each.type === "histogram") requireHistogram(each);
  return families;
}

/** Returns the value of the sample with exactly these labels. @throws if it does not exist */
export function sampleValue(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = JSON.stringify(Object.entries(labels).sort());
  for (const { samples } of familiesOf(text).values()) {
    const found = samples.find(
      (sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
    );
    if (found !== undefined) return found.value;
  }
  throw new Error(`there is no ${name} ${wanted}`);
}

function sampleOf(line: string): Sample {
  const [, name, text = "", number = ""] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`this is no sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let end = 0;
  for (let match = LABEL.exec(text); match !== null; match = LABEL.exec(text)) {
    labels[match[1] as string] = match[2] as string;
    end = LABEL.lastIndex;
  }
  if (end !== text.length) throw new Error(`these are no labels: ${text}`);
  const value = Number(number.replace(/^([+-]?)Inf$/, "$1Infinity"));
  if (Number.isNaN(value) && number !== "NaN" && number !== "Nan")
    throw new Error(`this is no number: ${line}`);
  return { name, labels, value };
}

function belongs(name: string, family: Family): boolean {
  const suffixes: Record<string, readonly string[]> = {
    histogram: ["_bucket", "_sum", "_count"],
    summary: ["", "_sum", "_count"],
  };
  return (suffixes[family.type] ?? [""]).some((suffix) => name === `${family.name}${suffix}`);
}

/** @throws if the buckets decrease or the last one differs from the total count */
function requireHistogram({ name, samples }: Family): void {
  const counts = samples.filter((sample) => sample.name === `${name}_count`);
  for (const count of counts) {
    const own = JSON.stringify(count.labels);
    const buckets = samples.filter(({ name: each, labels: { le: _le, ...labels } }) => {
      return each === `${name}_bucket` && JSON.stringify(labels) === own;
    });
    const values = buckets.map(({ value }) => value);
    const isRising = values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0));
    const last = buckets.at(-1);
    if (!isRising || last?.labels.le !== "+Inf" || last.value !== count.value)
      throw new Error(`the buckets of ${name} ${own} do not add up`);
  }
}
