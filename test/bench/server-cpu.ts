import { readdirSync, readFileSync } from "node:fs";

/** Returns the processor time that all threads of a process have used so far, in ms. Linux only. */
export function cpuMs(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [used] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    ns += Number(used);
  }
  return ns / 1e6;
}

export interface Load {
  /** Process id of the server. */
  readonly pid: number;
  ask(): Promise<unknown>;
}

const CONCURRENT = 8;

/**
 * Measures a server's processor time per request in microseconds, for each load and round. The loads alternate within
 * a round, so other load on the machine affects all equally.
 */
export async function cpuOfEach<Name extends string>(
  loads: Readonly<Record<Name, Load>>,
  { rounds, requests }: { readonly rounds: number; readonly requests: number },
): Promise<Record<Name, readonly number[]>> {
  const names = Object.keys(loads) as Name[];
  const costs = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  // Warm-up: the server's code is compiled and its caches are filled.
  for (const name of names) await ask(loads[name], requests * 3);
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const before = cpuMs(loads[name].pid);
      await ask(loads[name], requests);
      costs[name].push(((cpuMs(loads[name].pid) - before) * 1_000) / requests);
    }
    names.reverse();
  }
  return costs;
}

async function ask({ ask: once }: Load, times: number): Promise<void> {
  let left = times;
  const asking = async () => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: CONCURRENT }, asking));
}

/** Prints a line for each load: its cost, and the ratio of its cost to that of `base`. */
export function printRatios<Name extends string>(costs: Record<Name, readonly number[]>, base: Name): void {
  for (const [name, each] of Object.entries<readonly number[]>(costs)) {
    const { ratio, from, to } = ratioOf(each, costs[base]);
    const spread = name === base ? "" : ` (half of them from ${from.toFixed(2)} to ${to.toFixed(2)})`;
    console.log(
      name.padEnd(36),
      `${median(each).toFixed(0).padStart(6)} µs: ratio ${ratio.toFixed(2)}${spread}`,
    );
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Returns the median and the quartiles of the pairwise ratios of two series. */
function ratioOf(values: readonly number[], to: readonly number[]) {
  const ratios = values.map((value, round) => value / (to[round] as number)).toSorted((a, b) => a - b);
  const at = (part: number) => ratios[Math.floor((ratios.length - 1) * part)] ?? 0;
  return { ratio: at(0.5), from: at(0.25), to: at(0.75) };
}
