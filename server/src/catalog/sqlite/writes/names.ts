import type { Connection } from "../connection.ts";

export interface TenantEntry {
  readonly id: number;
  present: boolean;
}

export interface WorkflowEntry {
  readonly id: number;
  readonly tenant: TenantEntry;
  present: boolean;
}

/** Limit of the cache. When it is full it is emptied, so that memory stays bounded. */
const MAX_CACHED = 50_000;

/**
 * The numbers of tenants and workflows, for a writer. A name gets its number when a change first needs one.
 * It is `present` from its first artifact on; before that only the log mentions it.
 */
export class Names {
  readonly #connection: Connection;
  readonly #tenants = new Map<string, TenantEntry>();
  readonly #workflows = new Map<string, WorkflowEntry>();
  /** The workflow of the last lookup: the effects of one change look up the same one several times. */
  #last: { readonly tenant: string; readonly name: string; readonly entry: WorkflowEntry } | null = null;
  #changed = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  findTenant(name: string): TenantEntry | null {
    const cached = this.#tenants.get(name);
    if (cached !== undefined) return cached;
    const row = this.#connection.statement("SELECT id, present FROM tenant WHERE name = ?").get(name);
    return row === undefined ? null : this.#keepTenant(name, row[0] as number, row[1] === 1);
  }

  findWorkflow(tenantName: string, name: string): WorkflowEntry | null {
    if (this.#last?.name === name && this.#last.tenant === tenantName) return this.#last.entry;
    const entry = this.#findWorkflow(tenantName, name);
    if (entry !== null) this.#last = { tenant: tenantName, name, entry };
    return entry;
  }

  #findWorkflow(tenantName: string, name: string): WorkflowEntry | null {
    const cacheKey = `${tenantName}/${name}`;
    const cached = this.#workflows.get(cacheKey);
    if (cached !== undefined) return cached;
    const tenant = this.findTenant(tenantName);
    if (tenant === null) return null;
    const row = this.#connection
      .statement("SELECT id, present FROM workflow WHERE tenant = ? AND name = ?")
      .get(tenant.id, name);
    return row === undefined ? null : this.#keepWorkflow(cacheKey, tenant, row[0] as number, row[1] === 1);
  }

  tenant(name: string): TenantEntry {
    const found = this.findTenant(name);
    if (found !== null) return found;
    this.#changed = true;
    const id = this.#insert(
      "INSERT INTO tenant (name, present, tiers, workflows) VALUES (?, 0, 0, 0) RETURNING id",
      name,
    );
    this.#connection.statement("INSERT INTO tenant_held VALUES (?, 0, 0, 0, 0, 0, 0)").run(id);
    return this.#keepTenant(name, id, false);
  }

  workflow(tenantName: string, name: string): WorkflowEntry {
    const found = this.findWorkflow(tenantName, name);
    if (found !== null) return found;
    const tenant = this.tenant(tenantName);
    this.#changed = true;
    const id = this.#insert(
      "INSERT INTO workflow (tenant, name, present, tiers) VALUES (?, ?, 0, 0) RETURNING id",
      tenant.id,
      name,
    );
    this.#connection.statement("INSERT INTO workflow_held VALUES (?, 0, 0, 0, 0, 0, 0)").run(id);
    return this.#keepWorkflow(`${tenantName}/${name}`, tenant, id, false);
  }

  makeTenantPresent(tenant: TenantEntry): void {
    if (tenant.present) return;
    this.#changed = true;
    tenant.present = true;
    this.#connection.statement("UPDATE tenant SET present = 1 WHERE id = ?").run(tenant.id);
    this.#connection.statement("UPDATE total SET tenants = tenants + 1").run();
  }

  makeWorkflowPresent(workflow: WorkflowEntry): void {
    if (workflow.present) return;
    this.#changed = true;
    workflow.present = true;
    this.#connection.statement("UPDATE workflow SET present = 1 WHERE id = ?").run(workflow.id);
    this.#connection
      .statement("UPDATE tenant SET workflows = workflows + 1 WHERE id = ?")
      .run(workflow.tenant.id);
  }

  /** Forgets all changes since the last commit. */
  rolledBack(): void {
    if (!this.#changed) return;
    this.#clear();
  }

  committed(): void {
    this.#changed = false;
    if (this.#workflows.size > MAX_CACHED || this.#tenants.size > MAX_CACHED) this.#clear();
  }

  #clear(): void {
    this.#last = null;
    this.#tenants.clear();
    this.#workflows.clear();
  }

  #insert(sql: string, ...values: (string | number)[]): number {
    return this.#connection.statement(sql).get(...values)?.[0] as number;
  }

  #keepTenant(name: string, id: number, present: boolean): TenantEntry {
    const entry = { id, present };
    this.#tenants.set(name, entry);
    return entry;
  }

  #keepWorkflow(cacheKey: string, tenant: TenantEntry, id: number, present: boolean): WorkflowEntry {
    const entry = { id, tenant, present };
    this.#workflows.set(cacheKey, entry);
    return entry;
  }
}
