import { createHash } from "node:crypto";
import type { Artifact, Tierkeep } from "@tierkeep/sdk";
import { type DemoDocument, demoDocument } from "./documents.ts";

/** The demo writes smaller documents by a mutation, and others as a stream. */
const STREAM_FROM_BYTES = 64 * 1024;

/** A check of the demo failed. */
export class DemoFailure extends Error {
  override readonly name = "DemoFailure";
  /** True if bytes differ from those that were written. */
  readonly damaged: boolean;

  constructor(message: string, damaged = false) {
    super(message);
    this.damaged = damaged;
  }
}

/** The documents that the demo has written. It compares the store with them. */
export class DemoLibrary {
  readonly #tierkeep: Tierkeep;
  readonly #tenantId: string;
  /** Documents that must be in the store. */
  readonly #documents = new Map<string, DemoDocument>();

  constructor(tierkeep: Tierkeep, tenantId: string) {
    this.#tierkeep = tierkeep;
    this.#tenantId = tenantId;
  }

  get size(): number {
    return this.#documents.size;
  }

  async write(count: number): Promise<{ readonly bytes: number; readonly streamed: number }> {
    let [bytes, streamed] = [0, 0];
    for (let index = 0; index < count; index += 1) {
      const document = demoDocument(index);
      const { workflowId, artifactId, checksum, metadata } = document;
      const key = { tenantId: this.#tenantId, workflowId, artifactId };
      if (document.bytes.length < STREAM_FROM_BYTES) {
        const content = { text: new TextDecoder().decode(document.bytes) };
        await this.#tierkeep.writeArtifact({ ...key, content, checksum, metadata, ifAbsent: true });
      } else {
        await this.#tierkeep.upload(key, new Blob([document.bytes]).stream(), {
          checksum,
          metadata,
          ifAbsent: true,
        });
        streamed += 1;
      }
      this.#documents.set(nameOf(document), document);
      bytes += document.bytes.length;
    }
    return { bytes, streamed };
  }

  /** Reads every document that must be in the store and compares its bytes with those written. @throws DemoFailure */
  async verify(): Promise<{ readonly bytes: number }> {
    let bytes = 0;
    for (const document of this.#documents.values()) {
      const { workflowId, artifactId } = document;
      const download = await this.#tierkeep.download({ tenantId: this.#tenantId, workflowId, artifactId });
      const read = await download.bytes();
      const checksum = createHash("sha256").update(read).digest("hex");
      if (checksum !== document.checksum || Buffer.compare(read, document.bytes) !== 0) {
        throw new DemoFailure(
          `${nameOf(document)} was read with SHA-256 ${checksum} and written with ${document.checksum}.`,
          true,
        );
      }
      bytes += read.length;
    }
    const listed = await this.#list();
    const unknown = listed.filter((artifact) => !this.#documents.has(nameOf(artifact)));
    if (unknown.length > 0 || listed.length !== this.#documents.size) {
      throw new DemoFailure(`The store lists ${listed.length} artifacts instead of ${this.size}.`);
    }
    return { bytes };
  }

  /** Returns the artifacts in a tier, by key. */
  async inTier(tier: "HOT" | "WARM" | "COLD"): Promise<readonly Artifact[]> {
    return this.#list(tier);
  }

  /** Expects these artifacts to be purged from now on. */
  remove(artifacts: readonly Artifact[]): void {
    for (const artifact of artifacts) this.#documents.delete(nameOf(artifact));
  }

  async #list(tier?: "HOT" | "WARM" | "COLD"): Promise<readonly Artifact[]> {
    const found: Artifact[] = [];
    const where = { tenantId: this.#tenantId, tiers: tier && [tier] };
    for await (const artifact of this.#tierkeep.artifacts({ where, first: 500 })) found.push(artifact);
    return found;
  }
}

function nameOf({
  workflowId,
  artifactId,
}: {
  readonly workflowId: string;
  readonly artifactId: string;
}): string {
  return `${workflowId}/${artifactId}`;
}
