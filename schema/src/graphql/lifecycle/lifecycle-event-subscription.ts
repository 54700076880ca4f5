import { builder } from "../types/builder.ts";
import { LifecycleEventRef } from "./lifecycle-event.ts";
import { LifecycleEventFilterInput, requireLifecycleEventFilter } from "./lifecycle-event-filter.ts";

builder.subscriptionField("lifecycleEvents", (t) =>
  t.field({
    needs: "read",
    type: LifecycleEventRef,
    description:
      "Events as they happen, in order, each exactly once. The stream does not end. To resume after a disconnect, pass the cursor of the last event as `after`.",
    args: {
      where: t.arg({
        type: LifecycleEventFilterInput,
        description: "Which events to receive. Default: all.",
      }),
      after: t.arg.string({
        description:
          "Start with the stored events after this cursor, then continue with new ones. Default: new events only. A cursor of another log, or of a part of the log that has been deleted: CURSOR_INVALID. Over Server-Sent Events, a Last-Event-ID header overrides this argument.",
      }),
    },
    subscribe: async (_root, { where, after }, { services, principal, lastEventId }, info) => {
      const filter = requireLifecycleEventFilter(where);
      const ended = new AbortController();
      // Only graphql-js's executor offers the signal. With another one, only return() ends the subscription.
      const outer = info.getAbortSignal?.();
      const signal = outer ? AbortSignal.any([outer, ended.signal]) : ended.signal;
      const events = await services.events.follow(principal, filter, lastEventId ?? after ?? null, signal);
      return endingWith(ended, events);
    },
    resolve: (event, _args, { reads }) => {
      reads.startOver();
      return event;
    },
  }),
);

/**
 * Returns `source` with a return() that aborts `ended` first. Calls on a generator are queued, so without the
 * abort a generator that waits for its next event would run return() only after that event.
 */
function endingWith<T>(ended: AbortController, source: AsyncIterable<T>): AsyncIterableIterator<T> {
  const iterator = source[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    async return() {
      ended.abort();
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
