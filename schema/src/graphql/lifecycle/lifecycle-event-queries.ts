import { requirePage } from "../../domain/pages.ts";
import { builder } from "../types/builder.ts";
import { connectionOf } from "../types/connections.ts";
import { OrderDirection } from "../types/order-direction.ts";
import { LifecycleEventConnection, LifecycleEventRef } from "./lifecycle-event.ts";
import { LifecycleEventFilterInput, requireLifecycleEventFilter } from "./lifecycle-event-filter.ts";

builder.queryFields((t) => ({
  lifecycleEvents: t.connection(
    {
      needs: "read",
      type: LifecycleEventRef,
      description: "The event log, newest first unless told otherwise.",
      args: {
        where: t.arg({ type: LifecycleEventFilterInput, description: "Which events. Default: all." }),
        direction: t.arg({
          type: OrderDirection,
          required: true,
          defaultValue: "DESC",
          description:
            "DESC: newest first, and `after` a cursor means older. ASC: in the order in which they happened.",
        }),
      },
      resolve: async (_root, { where, direction, ...page }, { services, principal, reads }) =>
        connectionOf(
          await services.events.list(
            principal,
            requireLifecycleEventFilter(where),
            direction,
            requirePage(page),
            reads.terms,
          ),
        ),
    },
    LifecycleEventConnection,
  ),
  lifecycleEventCursor: t.string({
    needs: "read",
    description:
      "The cursor of the newest event that you may see, or of the log's start: where to begin following without a gap.",
    resolve: (_root, _args, { services, principal }) => services.events.cursor(principal),
  }),
}));
