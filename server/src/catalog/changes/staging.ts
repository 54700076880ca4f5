import type { ChangeType } from "../change-type.ts";
import type { AbandonChange, StageFoundChange } from "../upkeep-changes.ts";

/** Result: whether the object is staged by this owner now and was not before. */
export const stageFound: ChangeType<StageFoundChange, boolean> = {
  grows: true,

  refs: ({ object }) => [
    ["staged", object],
    ["garbage", object],
  ],

  decide({ object, store, owner, at }, found) {
    const staged = found.get("staged", object);
    const isOurs = staged !== null && (!staged.found || staged.owner === owner);
    if (isOurs || found.get("garbage", object) !== null) return { effects: [], result: false };
    return {
      effects: [{ put: "staged", key: object, value: { store, owner, at: staged?.at ?? at, found: true } }],
      result: true,
    };
  },
};

export const abandon: ChangeType<AbandonChange, null> = {
  grows: false,

  refs: ({ object }) => [["staged", object]],

  decide({ object, at }, found) {
    const staged = found.get("staged", object);
    if (staged === null) return { effects: [], result: null };
    const { store } = staged;
    return {
      effects: [
        { delete: "staged", key: object },
        ...(staged.found
          ? []
          : [{ put: "garbage", key: object, value: { store, since: at, artifact: null } } as const]),
      ],
      result: null,
    };
  },
};
