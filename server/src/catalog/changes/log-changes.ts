import type { ChangeType } from "../change-type.ts";
import type { EmptyQuarantineChange, EventChange, ExportedChange } from "../upkeep-changes.ts";
import { eventOf } from "./event-of.ts";

export const event: ChangeType<EventChange, null> = {
  grows: false,
  refs: () => [],
  decide: ({ event: value }) => ({ effects: [{ append: "event", value }], result: null }),
};

export const emptyQuarantine: ChangeType<EmptyQuarantineChange, EmptyQuarantineChange["result"]> = {
  grows: false,
  refs: () => [],
  decide: (change) => ({
    effects: change.files.map(({ name, sizeBytes }) => ({
      append: "event",
      value: eventOf("QUARANTINE_EMPTIED", change, {
        sizeBytes,
        error: `.tierkeep/quarantine/${name} is deleted.`,
      }),
    })),
    result: change.result,
  }),
};

export const exported: ChangeType<ExportedChange, null> = {
  grows: false,
  refs: () => [["exporter", ""]],
  decide: ({ state }) => ({ effects: [{ put: "exporter", key: "", value: state }], result: null }),
};
