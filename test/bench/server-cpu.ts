import { readdirSync, readFileSync } from "node:fs";

/** What a process has used of the processor so far, all its threads together, ms. Linux only. */
export function cpuMs(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [used] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    ns += Number(used);
  }
  return ns / 1e6;
}

export interface Load {
  /** The server that is asked. */
  readonly pid: number;
  ask(): Promise<unknown>;
}

const CONCURRENT = 8;

/**
 * Microseconds of a server's processor for one asking, for each load and round. The loads take turns within a round, so
 * that what else the machine does hits all alike.
 */
export async function cpuOfEach<Name extends string>(
  loads: Readonly<Record<Name, Load>>,
  { rounds, askings }: { readonly rounds: number; readonly askings: number },
): Promise<Record<Name, readonly number[]>> {
  const names = Object.keys(loads) as Name[];
  const costs = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  // Until the code that a load takes has been compiled, and what it asks for is held.
  for (const name of names) await ask(loads[name], askings * 3);
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const before = cpuMs(loads[name].pid);
      await ask(loads[name], askings);
      costs[name].push(((cpuMs(loads[name].pid) - before) * 1_000) / askings);
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

/** A line for each load: its cost, and what it is of that of `base`. */
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

/** The ratio of two series, one by one: its median, and the half of them around it. */
function ratioOf(values: readonly number[], to: readonly number[]) {
  const ratios = values.map((value, round) => value / (to[round] as number)).toSorted((a, b) => a - b);
  const at = (part: number) => ratios[Math.floor((ratios.length - 1) * part)] ?? 0;
  return { ratio: at(0.5), from: at(0.25), to: at(0.75) };
}
