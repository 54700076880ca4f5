/** All roles. Each role includes those before it. */
export const ROLES = ["READER", "WRITER", "OPERATOR", "ADMIN"] as const;

export type Role = (typeof ROLES)[number];

/** The caller of a request. */
export interface Principal {
  /** The caller's name in events. */
  readonly actor: string;
  readonly role: Role;
  /** The tenants that the caller may see and act on; null: all. */
  readonly tenants: readonly string[] | null;
}
