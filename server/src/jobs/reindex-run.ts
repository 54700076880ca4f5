import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { ReindexJob } from "@tierkeep/schema/services/jobs";
import type { JobAdvance } from "../catalog/job-changes.ts";
import { bytesToRead } from "../integrity/adopter.ts";
import type { ObjectPosition } from "../integrity/checker.ts";
import type { TreeEntry, TreePosition } from "../tiers/tier-view.ts";
import { treeNotPublished } from "./job-input.ts";
import { JobRun, type JobWork, succeeded } from "./job-work.ts";

/** Bytes read between two stored positions. A single larger file is read completely. */
const BYTES_AT_ONCE = 256 * 1024 * 1024;

/** Stored position of a reindex: in the view, then among the objects. */
interface Place {
  readonly phase: "tree" | "objects";
  readonly after: TreePosition | null;
  readonly object: ObjectPosition;
}

const START: Place = { phase: "tree", after: null, object: null };

/** Walks the view and adopts files that have no row, then reports unknown objects. */
export class ReindexRun extends JobRun<ReindexJob> {
  override async *work(): JobWork {
    const { adopter } = this.parts.engine;
    // A restarted server may be configured without a view.
    if (adopter === null) throw treeNotPublished();
    const job = { jobId: this.job.id, actor: this.row.actor, dryRun: this.job.dryRun };
    let place = { ...START, ...(this.row.position as Partial<Place> | null) };
    if (this.row.expected === null) await this.#store(place, [], await adopter.view.count());
    while (place.phase === "tree") {
      const entries = await adopter.view.walk(place.after, this.parts.batchSize);
      if (entries.length === 0) place = { ...place, phase: "objects" };
      for (const part of partsOf(entries)) {
        const next: Place = { ...place, after: part.at(-1)?.position ?? place.after };
        const unreadable = part.flatMap(unreadableIn);
        const adopted = await adopter.adopt(job, part, this.signal, (remaining) =>
          this.#advance(next, [...unreadable, ...remaining]),
        );
        if (adopted) place = next;
        yield;
        if (!adopted) break;
      }
    }
    // A dry run adopts nothing. The catalog then lacks its rows, and every object would be unknown.
    return this.job.dryRun ? succeeded : yield* this.#unknownObjects(place);
  }

  async *#unknownObjects(place: Place): JobWork {
    for (let after = place.object; ; ) {
      const { unknown, next, ended } = await this.parts.engine.checker.unknownObjects(after);
      await this.#store(
        { ...place, object: next },
        unknown.map(({ finding }) => finding),
      );
      if (ended) return succeeded;
      after = next;
      yield;
    }
  }

  #store(place: Place, findings: readonly StoreFinding[], expected?: number): Promise<void> {
    return this.store(this.#advance(place, findings, expected));
  }

  #advance(place: Place, findings: readonly StoreFinding[], expected?: number): JobAdvance {
    const treated = findings.filter(({ kind }) => kind !== "STRAY").length;
    return this.advance({ ...place }, expected, { findings, counts: { left: findings.length }, treated });
  }
}

function unreadableIn({ left }: TreeEntry): StoreFinding[] {
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

/** Splits entries into parts of limited bytes. */
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
