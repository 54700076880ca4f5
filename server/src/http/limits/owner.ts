import { hash } from "node:crypto";
import type { Principal } from "@tierkeep/schema/domain/principal";

/** The part of the memory budget that an owner's bytes belong to. */
export type OwnerKind = "principal" | "url" | "address";

/** The party that is charged for a call. */
export interface Owner {
  readonly kind: OwnerKind;
  /** Owners with equal kind and name share one account. */
  readonly name: string;
}

/** A principal is an actor with its tenants: equal names from different issuers are different principals. */
export function principalOwner({ actor, tenants }: Principal): Owner {
  return { kind: "principal", name: JSON.stringify([actor, tenants && [...new Set(tenants)].sort()]) };
}

/** Each signed URL has its own account. Its use is not charged to the principal that created it. */
export function urlOwner(signed: string): Owner {
  return { kind: "url", name: hash("sha256", signed, "base64url") };
}

/** A client that is not authenticated. */
export function addressOwner(address: string | null): Owner {
  return { kind: "address", name: address === null ? "" : networkOf(address) };
}

/**
 * Returns an IPv4 address, or the first 64 bits of an IPv6 address: one client usually controls such a
 * network.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(":")) return mapped ?? address;
  const [before = [], after = []] = address
    .replace(/%.*$/, "")
    .split("::")
    .map((side) => (side === "" ? [] : side.split(":")));
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}
