import type { Page } from "@tierkeep/schema/domain/pages";
import type { Principal } from "@tierkeep/schema/domain/principal";

/**
 * What stands between a principal and one method of a service. It decides by the principal and the arguments before it
 * calls `proceed`, which asks the service itself on the same principal's behalf; and by what came back, where only that
 * says whose it is.
 */
export type Rule<Method> = Method extends (principal: Principal, ...args: infer Args) => infer Answer
  ? (principal: Principal, proceed: (...args: Args) => Answer, ...args: Args) => Answer
  : never;

/** A rule for every method: one that is added to a service does not compile before somebody has decided about it. */
export type Rules<Service> = { readonly [Method in keyof Service]-?: Rule<Service[Method]> };

type AnyMethod = (principal: Principal, ...args: unknown[]) => Promise<unknown>;
type AnyRule = (
  principal: Principal,
  proceed: (...args: unknown[]) => Promise<unknown>,
  ...args: unknown[]
) => Promise<unknown>;

/** The service as it is for those who ask through the rules. */
export function underRules<Service extends object>(service: Service, rules: Rules<Service>): Service {
  const methods = Object.entries(rules).map(([name, rule]) => {
    const method: AnyMethod = async (principal, ...args) => {
      const proceed = (...asked: unknown[]) =>
        (service[name as keyof Service] as AnyMethod)(principal, ...asked);
      return (rule as AnyRule)(principal, proceed, ...args);
    };
    return [name, method];
  });
  return Object.fromEntries(methods) as Service;
}

/** The service itself narrows what it reads to the principal's tenants: lists, pages, counts, what is followed. */
export function narrowed<Args extends readonly unknown[], Answer>(
  _principal: Principal,
  proceed: (...args: Args) => Answer,
  ...args: Args
): Answer {
  return proceed(...args);
}

/** Asks for those of `items` alone that may be seen, and says `absent` of the others, in the items' order. */
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
