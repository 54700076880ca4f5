import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** Maximum growth of an idle server's resident memory through transfers and jobs of any size, in MiB. */
export const MAX_GROWTH_MIB = 150;

/** Returns the current resident memory of a process in MiB. Linux only. */
export function residentMiB(pid: number): number {
  return statusMiB(pid, "VmRSS");
}

export interface MemorySamples {
  readonly count: number;
  readonly highestMiB: number;
}

/** Samples the resident memory of a process every 20 ms while `work` runs. */
export async function whileSampling(pid: number, work: () => Promise<unknown>): Promise<MemorySamples> {
  let done = false;
  let count = 0;
  let highestMiB = 0;
  const sampling = (async () => {
    while (!done) {
      highestMiB = Math.max(highestMiB, residentMiB(pid));
      count += 1;
      await pause(20);
    }
  })();
  try {
    await work();
  } finally {
    done = true;
    await sampling;
  }
  return { count, highestMiB };
}

/** Returns the peak resident memory of a process in MiB, as recorded by the kernel. Linux only. */
export function peakMiB(pid: number): number {
  return statusMiB(pid, "VmHWM");
}

function statusMiB(pid: number, field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) / 1024;
}
