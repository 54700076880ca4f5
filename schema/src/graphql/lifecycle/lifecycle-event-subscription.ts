import { builder } from "../types/builder.ts";
import { LifecycleEventRef } from "./lifecycle-event.ts";
import { LifecycleEventFilterInput, requireLifecycleEventFilter } from "./lifecycle-event-filter.ts";

builder.subscriptionField("lifecycleEvents", (t) =>
  t.field({
    needs: "read",
    type: LifecycleEventRef,
    description:
      "Events as they happen, in order, without end: none left out, none twice. Keep the cursor of the last one to resume from.",
    args: {
      where: t.arg({ type: LifecycleEventFilterInput, description: "Which events. Default: all." }),
      after: t.arg.string({
        description:
          "First every stored event behind this cursor, then those that follow. Default: from now on. A cursor of another log, or of a part that is kept no longer: CURSOR_INVALID. Over Server-Sent Events a Last-Event-ID header wins over it.",
      }),
    },
    subscribe: async (_root, { where, after }, { services, principal, lastEventId }, info) => {
      const filter = requireLifecycleEventFilter(where);
      const ended = new AbortController();
      // Another executor than graphql-js's may not offer it; then only return() ends the subscription.
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
 * `source`, but return() aborts `ended` first. A generator that waits for its next event would otherwise not hear of it
 * before that event: calls on a generator queue behind each other.
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
