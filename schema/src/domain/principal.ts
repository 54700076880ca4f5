/** Each role includes the ones before it. */
export const ROLES = ["READER", "WRITER", "OPERATOR", "ADMIN"] as const;

export type Role = (typeof ROLES)[number];

/** On whose behalf something is asked. */
export interface Principal {
  /** The name that events carry. */
  readonly actor: string;
  readonly role: Role;
  /** The tenants it is given; null: all. */
  readonly tenants: readonly string[] | null;
}
