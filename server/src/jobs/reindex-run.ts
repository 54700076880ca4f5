import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { ReindexJob } from "@tierkeep/schema/services/jobs";
import { bytesToRead } from "../integrity/adopter.ts";
import type { TreeEntry, TreePosition } from "../tiers/tier-view.ts";
import { noTree } from "./job-input.ts";
import { JobRun, type JobWork, succeeded } from "./job-work.ts";

/** What is read between two stored positions, but for one file. */
const BYTES_AT_ONCE = 256 * 1024 * 1024;

/** Where a reindex stands: in the tree, then among the objects. */
interface Place {
  readonly phase: "tree" | "objects";
  readonly after: TreePosition | null;
  readonly object: string | null;
}

const START: Place = { phase: "tree", after: null, object: null };

/** Goes through the published tree and adopts what the catalog does not have, then looks for objects that nothing names. */
export class ReindexRun extends JobRun<ReindexJob> {
  override async *work(): JobWork {
    const { adopter } = this.parts.engine;
    // A server that was started anew may have been told to keep no tree.
    if (adopter === null) throw noTree();
    const job = { jobId: this.job.id, actor: this.row.actor, dryRun: this.job.dryRun };
    let place = { ...START, ...(this.row.position as Partial<Place> | null) };
    if (this.row.expected === null) await this.#store(place, [], await adopter.view.count());
    while (place.phase === "tree") {
      const entries = await adopter.view.walk(place.after, this.parts.batchSize);
      if (entries.length === 0) place = { ...place, phase: "objects" };
      for (const part of partsOf(entries)) {
        const left = await adopter.adopt(job, part, this.signal);
        if (left === null) {
          yield;
          break;
        }
        place = { ...place, after: part.at(-1)?.position ?? place.after };
        await this.#store(place, [...part.flatMap(leftIn), ...left]);
        yield;
      }
    }
    // Before a catalog has its rows again, every object looks like a stray.
    return this.job.dryRun ? succeeded : yield* this.#strays(place);
  }

  async *#strays(place: Place): JobWork {
    for (let after = place.object; ; ) {
      const { strays, next } = await this.parts.engine.checker.unknownObjects(after);
      await this.#store(
        { ...place, object: next ?? LAST_OBJECT },
        strays.map(({ finding }) => finding),
      );
      if (next === null) return succeeded;
      after = next;
      yield;
    }
  }

  #store(place: Place, findings: readonly StoreFinding[], expected?: number): Promise<void> {
    const left = findings.filter(({ kind }) => kind !== "STRAY").length;
    return this.store(place, expected, {
      findings,
      counts: { left: findings.length },
      treated: left,
    });
  }
}

/** No object comes after it. */
const LAST_OBJECT = "g";

function leftIn({ left }: TreeEntry): StoreFinding[] {
  return left.map(({ path, tier, kind, message }) => ({
    kind,
    path,
    tenantId: null,
    workflowId: null,
    artifactId: null,
    tier,
    message,
  }));
}

/** In pieces that are not too long to read. */
function partsOf(entries: readonly TreeEntry[]): TreeEntry[][] {
  const parts: TreeEntry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const more = bytesToRead(entry.files);
    const last = parts.at(-1);
    if (last === undefined || bytes + more > BYTES_AT_ONCE) {
      parts.push([entry]);
      bytes = more;
    } else {
      last.push(entry);
      bytes += more;
    }
  }
  return parts;
}
