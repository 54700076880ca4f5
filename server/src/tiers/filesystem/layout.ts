import { basename, dirname, join } from "node:path";
import { requireKey, SIDECAR_SUFFIX } from "@tierkeep/schema/domain/identifiers";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";

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

  quarantinePath(name: string): string {
    const path = join(this.quarantine, name);
    if (dirname(path) !== this.quarantine)
      throw new TypeError(`not the name of a file in quarantine: ${JSON.stringify(name)}`);
    return path;
  }

  tierDirectory(tier: Tier): string {
    return join(this.root, tier.toLowerCase());
  }

  /**
   * Returns the paths of the artifact and its sidecar where no folder has the artifact's name; `currentPaths`
   * checks that.
   * @throws Refused INVALID_IDENTIFIER
   */
  viewPaths(tier: Tier, key: ArtifactKey): ViewPaths {
    requireKey(key);
    const names = [key.tenantId, key.workflowId, ...key.artifactId.split("/")];
    const directories = [this.tierDirectory(tier)];
    let artifact = "";
    for (const [index, name] of names.entries()) {
      const parent = directories[index] as string;
      artifact = join(parent, name);
      // The rule above already rejects every name that could leave the root. This check remains if that rule
      // changes.
      if (dirname(artifact) !== parent || basename(artifact) !== name)
        throw new TypeError(`not a key that can be a path: ${JSON.stringify(key)}`);
      directories.push(artifact);
    }
    directories.pop();
    return { directories, directory: dirname(artifact), artifact, sidecar: `${artifact}${SIDECAR_SUFFIX}` };
  }
}

/** Number of directories above the folders of artifact ids: the tier's, the tenant's and the workflow's. */
export const FIXED_DEPTH = 3;

/** Name of an artifact's file in the folder of the same name. No identifier begins with a dot. */
export const FOLDER_FILE = ".file";

export interface ViewPaths {
  /** All directories that contain the artifact, below each other: the tier's first. */
  readonly directories: readonly string[];
  /** The last of them, which contains artifact and sidecar. */
  readonly directory: string;
  readonly artifact: string;
  readonly sidecar: string;
}

/** Returns the paths of an artifact whose own path is a folder. */
export function inFolder({ directories, artifact: folder }: ViewPaths): ViewPaths {
  const artifact = join(folder, FOLDER_FILE);
  return {
    directories: [...directories, folder],
    directory: folder,
    artifact,
    sidecar: `${artifact}${SIDECAR_SUFFIX}`,
  };
}

export function isObjectId(name: string): boolean {
  return OBJECT_ID.test(name);
}

export function isFanOut(name: string): boolean {
  return FAN_OUT.test(name);
}
