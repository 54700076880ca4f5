import type { Page } from "@tierkeep/schema/domain/pages";
import type { Principal } from "@tierkeep/schema/domain/principal";

/**
 * Access rule of a service method. It decides by principal and arguments before it calls `proceed`, which
 * calls the service for the same principal, or by the result if only that shows the tenant.
 */
export type Rule<Method> = Method extends (principal: Principal, ...args: infer Args) => infer Answer
  ? (principal: Principal, proceed: (...args: Args) => Answer, ...args: Args) => Answer
  : never;

/** One rule per method: a new method of a service does not compile without a rule. */
export type Rules<Service> = { readonly [Method in keyof Service]-?: Rule<Service[Method]> };

type AnyMethod = (principal: Principal, ...args: unknown[]) => Promise<unknown>;
type AnyRule = (
  principal: Principal,
  proceed: (...args: unknown[]) => Promise<unknown>,
  ...args: unknown[]
) => Promise<unknown>;

/** Returns the service under its rules. */
export function underRules<Service extends object>(service: Service, rules: Rules<Service>): Service {
  const methods = Object.entries(rules).map(([name, rule]) => {
    const method: AnyMethod = async (principal, ...args) => {
      const proceed = (...passed: unknown[]) =>
        (service[name as keyof Service] as AnyMethod)(principal, ...passed);
      return (rule as AnyRule)(principal, proceed, ...args);
    };
    return [name, method];
  });
  return Object.fromEntries(methods) as Service;
}

/**
 * For methods whose service itself limits its reads to the principal's tenants: lists, pages, counts,
 * subscriptions.
 */
export function narrowed<Args extends readonly unknown[], Answer>(
  _principal: Principal,
  proceed: (...args: Args) => Answer,
  ...args: Args
): Answer {
  return proceed(...args);
}

/** Passes only the visible items to `ask`. Returns `absent` for the others, in the order of `items`. */
export async function ofVisible<Item, Answer>(
  items: readonly Item[],
  isVisible: (item: Item) => boolean,
  ask: (visible: readonly Item[]) => Promise<readonly Answer[]>,
  absent: Answer,
): Promise<readonly Answer[]> {
  const visible = items.filter(isVisible);
  if (visible.length === items.length) return ask(items);
  const answers = visible.length === 0 ? [] : await ask(visible);
  let next = 0;
  return items.map((item) => (isVisible(item) ? (answers[next++] as Answer) : absent));
}

export function emptyPage<Node>(): Page<Node> {
  return { edges: [], hasNextPage: false, hasPreviousPage: false, totalCount: async () => 0 };
}
