import { dirname, join } from "node:path";
import { requireKey, SIDECAR_SUFFIX } from "@tierkeep/schema/domain/identifiers";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { FoundAt } from "../tier-store.ts";

const OBJECT_ID = /^[0-9a-f]{32}$/;
const FAN_OUT = /^[0-9a-f]{2}$/;

/** Paths of everything under one root. Only this module builds paths, so only it must check names. */
export class Layout {
  readonly root: string;
  readonly own: string;
  readonly objects: string;
  readonly quarantine: string;
  /** Temporary files of the view, outside of the published tree. */
  readonly temporary: string;

  constructor(root: string) {
    this.root = root;
    this.own = join(root, ".tierkeep");
    this.objects = join(this.own, "objects");
    this.quarantine = join(this.own, "quarantine");
    this.temporary = join(this.own, "tmp");
  }

  /** The directories that exist as long as the store, parents first. */
  get fixed(): readonly string[] {
    return [this.root, this.own, this.objects, this.quarantine, this.temporary];
  }

  objectPath(object: string): string {
    if (!isObjectId(object)) throw new TypeError(`not the name of an object: ${JSON.stringify(object)}`);
    return join(this.objects, object.slice(0, 2), object);
  }

  foundPath(at: FoundAt): string {
    if ("key" in at) return this.viewPaths(at.tier, at.key).artifact;
    const path = join(this.quarantine, at.quarantined);
    if (dirname(path) !== this.quarantine)
      throw new TypeError(`not the name of a file in quarantine: ${JSON.stringify(at.quarantined)}`);
    return path;
  }

  tierDirectory(tier: Tier): string {
    return join(this.root, tier.toLowerCase());
  }

  /**
   * Returns the tier's, tenant's and workflow's directories, and the paths of the artifact and its sidecar.
   * @throws Refused INVALID_IDENTIFIER
   */
  viewPaths(tier: Tier, key: ArtifactKey): ViewPaths {
    requireKey(key);
    const tierDirectory = this.tierDirectory(tier);
    const tenant = join(tierDirectory, key.tenantId);
    const directory = join(tenant, key.workflowId);
    const artifact = join(directory, key.artifactId);
    // The rule above already rejects every name that could leave the root. This check remains if that rule
    // changes.
    if (
      dirname(artifact) !== directory ||
      dirname(directory) !== tenant ||
      dirname(tenant) !== tierDirectory
    ) {
      throw new TypeError(`not a key that can be a path: ${JSON.stringify(key)}`);
    }
    return { tierDirectory, tenant, directory, artifact, sidecar: `${artifact}${SIDECAR_SUFFIX}` };
  }
}

export interface ViewPaths {
  readonly tierDirectory: string;
  readonly tenant: string;
  /** The workflow's directory, which contains artifact and sidecar. */
  readonly directory: string;
  readonly artifact: string;
  readonly sidecar: string;
}

export function isObjectId(name: string): boolean {
  return OBJECT_ID.test(name);
}

export function isFanOut(name: string): boolean {
  return FAN_OUT.test(name);
}
