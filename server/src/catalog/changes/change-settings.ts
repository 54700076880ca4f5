import type { ChangeType } from "../change-type.ts";
import type { ChangeSettingsChange } from "../settings-changes.ts";
import { eventOf } from "./event-of.ts";

export const changeSettings: ChangeType<ChangeSettingsChange, null> = {
  grows: false,

  refs: () => [["settings", ""]],

  decide: ({ settings, events, ...stamp }) => ({
    effects: [
      { put: "settings", key: "", value: settings },
      ...events.map(
        ({ type, message }) =>
          ({ append: "event", value: eventOf(type, stamp, { error: message }) }) as const,
      ),
    ],
    result: null,
  }),
};
