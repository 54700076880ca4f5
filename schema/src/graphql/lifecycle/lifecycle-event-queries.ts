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
      description: "The event log, newest first by default.",
      args: {
        where: t.arg({ type: LifecycleEventFilterInput, description: "Which events to list. Default: all." }),
        direction: t.arg({
          type: OrderDirection,
          required: true,
          defaultValue: "DESC",
          description: "DESC: newest first; the events after a cursor are then older. ASC: oldest first.",
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
      "Cursor of the newest event that the caller may see, or of the start of the log. To follow events without a gap, read it first and pass it as `after` to the subscription lifecycleEvents.",
    resolve: (_root, _args, { services, principal }) => services.events.cursor(principal),
  }),
}));
